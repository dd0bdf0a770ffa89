#include "agent/plan/world/origin.h"

#include <string.h>

#include "agent/backend/backend.h"
#include "agent/plan/world/managed.h"
#include "agent/plan/world/ownership.h"
#include "lib/xalloc.h"

#define NOT_GUESSED "and this is not guessed"

static bool is_root(const struct world *world, const struct observed_provider *provider)
{
    return strcmp(provider->provider.uuid, world->in->observed->root_uuid) == 0;
}

/* ---- the domain's devices ---- */

static int64_t count_present(const struct group *group, const char *domain)
{
    int64_t count = 0;
    for (size_t i = 0; i < group->present_count; i++)
        count +=
            group->present[i].use && strcmp(group->present[i].use->domain, domain) == 0;
    return count;
}

/* True when a domain names the device, it could be one of the agent's, and it does not
 * exist on the host. */
static bool is_absent(const struct world *world, const struct used_device *used)
{
    return backend_is_address(world->in->host, used->address) &&
           !host_device(world->in->host, used->address, NULL, NULL);
}

bool origin_is_unmade(const struct world *world, const struct used_device *used)
{
    return !used->running && !used->defined && is_absent(world, used);
}

/* Counts the absent devices that the domain names, whether the agent or somebody else
 * is to make them again: all of them count against the units that lack a device. */
static int64_t count_absent(const struct world *world, const char *domain)
{
    const struct device_use *use = world->in->use;
    int64_t count = 0;
    for (size_t i = 0; i < use->count; i++)
        count += strlist_contains(&use->devices[i].domains, domain) &&
                 is_absent(world, &use->devices[i]);
    return count;
}

/* The address of an absent device of the domain that another domain names as well;
 * NULL: there is none. */
static const char *find_shared(const struct world *world, const char *domain)
{
    const struct device_use *use = world->in->use;
    for (size_t i = 0; i < use->count; i++)
        if (use->devices[i].domains.count > 1 &&
            strlist_contains(&use->devices[i].domains, domain) &&
            is_absent(world, &use->devices[i]))
            return use->devices[i].address;
    return NULL;
}

/* ---- the domain's allocations ---- */

/* The domain's units on the provider that have no device. For a provider that is not
 * the agent's it is not known which devices exist. */
static int64_t count_lacking(const struct world *world,
                             const struct observed_provider *provider,
                             const char *domain)
{
    const struct managed *managed = managed_of(world, provider);
    int64_t units = 0;
    for (size_t i = 0; i < provider->allocation_count; i++)
        if (strcmp(provider->allocations[i].consumer, domain) == 0)
            units += provider->allocations[i].amount;
    return units && managed && managed->group
               ? units - count_present(managed->group, domain)
               : units;
}

static const char *find_unread(const struct world *world)
{
    for (size_t i = 0; i < world->managed_count; i++)
        if (world->managed[i].observed && !world->managed[i].read)
            return world->managed[i].name;
    return NULL;
}

/* A consumer with an allocation on a provider other than `except` that may be a
 * migration; NULL: there is none. A migration's allocation on `except` itself does no
 * harm: its devices were there as well. */
static const char *find_migration(const struct world *world,
                                  const struct observed_provider *except,
                                  const struct observed_provider **where)
{
    const struct observed *observed = world->in->observed;
    for (size_t i = 0; i < observed->provider_count; i++) {
        *where = &observed->providers[i];
        if (*where == except || is_root(world, *where))
            continue;
        for (size_t j = 0; j < (*where)->allocation_count; j++)
            if (!is_server(world, (*where)->allocations[j].consumer))
                return (*where)->allocations[j].consumer;
    }
    return NULL;
}

/* ---- devices and allocations compared ---- */

/* The last provider on which the domain lacks devices, NULL: there is none; `others`
 * gets the number of further ones. */
static const struct observed_provider *find_lacking(const struct world *world,
                                                    const char *domain, size_t *others)
{
    const struct observed *observed = world->in->observed;
    const struct observed_provider *found = NULL;
    *others = 0;
    for (size_t i = 0; i < observed->provider_count; i++) {
        const struct observed_provider *provider = &observed->providers[i];
        if (is_root(world, provider) || count_lacking(world, provider, domain) <= 0)
            continue;
        *others += found != NULL;
        found = provider;
    }
    return found;
}

/* Why the provider of the domain's absent devices cannot be known; NULL: there is no
 * doubt. The caller frees. */
static char *find_doubt(const struct world *world, const char *domain,
                        const struct observed_provider *provider, size_t others)
{
    const struct observed_provider *where = NULL;
    const char *unread = find_unread(world), *shared = find_shared(world, domain);
    const char *migration = find_migration(world, provider, &where);
    if (unread)
        return xasprintf("the allocations of %s could not be read", unread);
    if (!provider)
        return xstrdup("neither the state file nor an allocation says of which GPU it "
                       "was");
    if (others)
        return xstrdup("the state file does not say of which of its allocations it "
                       "was, " NOT_GUESSED);
    if (count_absent(world, domain) > count_lacking(world, provider, domain))
        return xstrdup("the domain names more such devices than its allocation has, "
                       "so that some were elsewhere, " NOT_GUESSED);
    if (shared)
        return xasprintf("another domain names %s, too, so that it may have been "
                         "elsewhere, " NOT_GUESSED,
                         shared);
    return migration ? xasprintf("it may have been on %s: the consumer %s there can "
                                 "be a migration of the server, " NOT_GUESSED,
                                 where->provider.name, migration)
                     : NULL;
}

const struct observed_provider *origin_of(const struct world *world, const char *domain,
                                          char **why)
{
    if (!world->in->observed || !world->in->use) {
        if (why)
            *why = xstrdup("neither the state file nor Placement, which was not asked, "
                           "says of which GPU it was");
        return NULL;
    }
    size_t others;
    const struct observed_provider *provider = find_lacking(world, domain, &others);
    _cleanup_free_ char *doubt = find_doubt(world, domain, provider, others);
    if (!doubt)
        return provider;
    if (why)
        *why = xstrdup(doubt);
    return NULL;
}

/* ---- the absent devices of a want ---- */

static bool is_computed(const struct want *want, const char *uuid)
{
    unsigned end = want_index_end(want);
    for (unsigned i = 0; i < end; i++) {
        char computed[UUID_TEXT_SIZE];
        want_computed_uuid(want, i, computed);
        if (strcmp(computed, uuid) == 0)
            return true;
    }
    return false;
}

static bool is_alone_named_by(const struct used_device *used, const char *domain)
{
    return used->domains.count == 1 && strlist_contains(&used->domains, domain);
}

/* A consumer's allocation of another class may be on the same GPU. */
static bool is_taken(const struct group *group, const char *uuid)
{
    for (size_t i = 0; i < group->want_count; i++)
        if (strlist_contains(&group->wants[i].named, uuid))
            return true;
    return false;
}

/* The uuids of the absent devices that the want's domain alone names, and that no other
 * want gets. */
static void list_absent(const struct world *world, const struct want *want,
                        struct strlist *out)
{
    const struct device_use *use = world->in->use;
    for (size_t i = 0; use && i < use->count; i++) {
        const struct used_device *used = &use->devices[i];
        char uuid[UUID_TEXT_SIZE];
        if (is_alone_named_by(used, want->allocation->consumer) &&
            origin_is_unmade(world, used) && uuid_parse_text(used->address, uuid) &&
            !is_taken(want->group, uuid) &&
            !journal_find_device(world->in->journal, uuid))
            strlist_add(out, uuid);
    }
}

/* Whether the absent devices of the want's domain were on the want's provider. */
static bool were_here(const struct world *world, const struct want *want)
{
    return !world->in->use->domains_unknown &&
           origin_of(world, want->allocation->consumer, NULL) ==
               want->managed->observed;
}

void origin_find_absent(const struct world *world, struct want *want)
{
    _cleanup_strlist_ struct strlist absent = {0};
    if (want_missing(want) > 0)
        list_absent(world, want, &absent);
    bool here = absent.count && were_here(world, want);
    for (size_t i = 0; i < absent.count && want_unnamed(want) > 0; i++)
        if (here || is_computed(want, absent.items[i]))
            strlist_add(&want->named, absent.items[i]);
}
