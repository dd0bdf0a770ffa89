#include "agent/plan/providers/root_claim.h"

#include <string.h>

#include "lib/xalloc.h"

/* True when the provider is one of the tree, or would be if it were created again. */
static bool is_below(const struct observed *observed,
                     const struct journal_provider *provider)
{
    char computed[UUID_TEXT_SIZE];
    uuid5_text(observed->root_uuid, provider->name, computed);
    return strcmp(computed, provider->uuid) == 0 ||
           observed_by_uuid(observed, provider->uuid);
}

/* True when the root that the journal names is just missing: Placement has no provider
 * with its name, and the agent would not create another root. */
static bool is_missing(const struct plan_input *in)
{
    return !in->observed->root_found && *in->journal->root &&
           strcmp(in->journal->root_name, in->observed->root_name) == 0 &&
           !in->config->agent.create_root;
}

bool root_is_another(const struct plan_input *in)
{
    const struct journal *journal = in->journal;
    if (!in->observed || is_missing(in))
        return false;
    if (*journal->root)
        return strcmp(journal->root, in->observed->root_uuid) != 0;
    for (size_t i = 0; i < journal->provider_count; i++)
        if (is_below(in->observed, &journal->providers[i]))
            return false;
    return journal->provider_count > 0;
}

/* The root provider that the journal names, or what else identifies it, as a text. */
static char *whose(const struct journal *journal)
{
    return *journal->root
               ? xasprintf("the root provider %s (%s)", journal->root_name,
                           journal->root)
               : xasprintf("the root of the provider %s (%s)",
                           journal->providers[0].name, journal->providers[0].uuid);
}

char *root_problem(const struct plan_input *in)
{
    _cleanup_free_ char *before = whose(in->journal);
    return xasprintf(
        "the state file belongs to %s, but this host is now %s (%s)%s: no provider is "
        "made and no device made or removed for it; mend root_provider_name, "
        "compute_id or DNS or, if it is right, say `vgpu-agent adopt-root`",
        before, in->observed->root_name, in->observed->root_uuid,
        in->observed->root_found ? "" : ", which Placement does not have");
}
