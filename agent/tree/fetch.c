#include "agent/tree/fetch.h"

#include <stdlib.h>
#include <string.h>

#include "agent/tree/observed_consumer.h"
#include "agent/tree/recheck.h"
#include "agent/tree/root_identity.h"
#include "agent/tree/seen.h"
#include "agent/tree/tree_build.h"
#include "lib/xalloc.h"
#include "placement/microversion.h"

struct placement_fetch {
    struct placement_client *client;
    const struct config *config;
    struct observed *observed; /* NULL: nothing is cached */
    struct pieces pieces;      /* of a tree that was not read to its end, or refused */
    bool older_pieces;         /* they are of an older view */
    bool doubted;              /* a request has failed since the tree was read */
    /* traits that were asked for and that the server does not have */
    struct strlist missing_traits;
    struct strlist expected; /* uuids of the agent's own, whatever they are named */
    bool root_asked;         /* its inventories were read */
    bool asks_again;         /* for the root's inventories and the missing traits */
    bool moved;              /* a part of the last tree was read anew */
    struct journal *journal;
    bool unsaved;           /* the journal has changed */
    bool believed;          /* a view of this Placement was accepted */
    struct recheck recheck; /* placement_fetch_one()'s position */
};

struct placement_fetch *placement_fetch_new(struct placement_client *client,
                                            const struct config *config,
                                            struct journal *journal)
{
    struct placement_fetch *fetch = xcalloc(1, sizeof *fetch);
    fetch->client = client;
    fetch->config = config;
    placement_fetch_set_journal(fetch, journal);
    return fetch;
}

void placement_fetch_set_journal(struct placement_fetch *fetch, struct journal *journal)
{
    fetch->journal = journal;
    if (!fetch->believed)
        seen_begin(journal);
}

static void forget_tree(struct placement_fetch *fetch)
{
    observed_free(fetch->observed);
    fetch->observed = NULL;
    strlist_clear(&fetch->missing_traits);
    fetch->root_asked = false;
}

void placement_fetch_forget(struct placement_fetch *fetch)
{
    forget_tree(fetch);
    pieces_clear(&fetch->pieces);
}

void placement_fetch_doubt(struct placement_fetch *fetch)
{
    fetch->doubted = fetch->asks_again = true;
    recheck_compare_next(&fetch->recheck);
}

void placement_fetch_free(struct placement_fetch *fetch)
{
    if (!fetch)
        return;
    placement_fetch_forget(fetch);
    strlist_clear(&fetch->expected);
    free(fetch);
}

/* ---- older views ---- */

/* As long as there is no root nobody can put lost allocations back. */
#define REPLACED_STEP 60 /* seconds */

static void take_seen(struct placement_fetch *fetch, int64_t now)
{
    struct journal *journal = fetch->journal;
    fetch->believed = true;
    if (seen_take(journal, fetch->observed))
        fetch->unsaved = true;
    if (!journal->replaced_at)
        return;
    int64_t age = now - journal->replaced_at;
    bool found = fetch->observed->root_found;
    if (age < (found ? KEEP_AFTER_REPLACEMENT : REPLACED_STEP))
        return;
    /* Over, so that no later boot begins it again (agent/state/boot_clock.h). */
    journal->replaced_at = found ? 0 : now;
    fetch->unsaved = true;
}

static int doubt(struct placement_fetch *fetch, const char *older, int64_t now,
                 struct error *err)
{
    return seen_doubt(fetch->journal, older, now, &fetch->unsaved, err);
}

static void accept_older(struct placement_fetch *fetch, int64_t now)
{
    seen_accept(fetch->journal, now);
    fetch->unsaved = true;
}

/* Those that the next attempt can go on with: they are of the same view. */
static struct pieces *pieces_for(struct placement_fetch *fetch, bool older)
{
    if (fetch->older_pieces != older)
        pieces_clear(&fetch->pieces);
    fetch->older_pieces = older;
    return &fetch->pieces;
}

/* ---- the tree and its root ---- */

static struct observed *make_rootless(const struct root_identity *identity)
{
    struct observed *observed = xcalloc(1, sizeof *observed);
    observed->root_name =
        identity->name ? xstrdup(identity->name) : root_identity_host_name();
    if (identity->uuid[0])
        uuid_text_copy(observed->root_uuid, identity->uuid);
    else
        root_identity_computed_uuid(observed->root_name, observed->root_uuid);
    return observed;
}

/* Another name or uuid than the journal has: see agent/plan/providers/root_claim.h. */
static bool is_another_root(const struct journal *journal,
                            const struct observed *rootless)
{
    return *journal->root && strcmp(journal->root, rootless->root_uuid) != 0 &&
           strcmp(journal->root_name, rootless->root_name) != 0;
}

/* Caches that there is no root. Nothing of an old tree can be kept then. */
static int set_rootless(struct placement_fetch *fetch,
                        const struct root_identity *identity, int64_t now,
                        struct error *err)
{
    _cleanup_(observed_freep) struct observed *rootless = make_rootless(identity);
    bool another = is_another_root(fetch->journal, rootless);
    _cleanup_free_ char *older = another ? NULL : seen_older(fetch->journal, NULL, 0);
    bool loses = older && (fetch->believed || !seen_has_all(fetch->journal, rootless));
    if (loses && doubt(fetch, older, now, err) != 0)
        return -1;
    placement_fetch_forget(fetch);
    fetch->observed = steal(rootless);
    if (loses)
        accept_older(fetch, now);
    if (!another)
        take_seen(fetch, now);
    return 0;
}

/* Looks up the root's uuid by its name; it stays "" when there is no such root. */
static int look_up(struct placement_client *client, struct root_identity *identity,
                   struct error *err)
{
    struct provider *list = NULL;
    size_t count = 0;
    if (placement_get_by_name(client, identity->name, &list, &count, err) != 0)
        return -1;
    if (count > 0)
        uuid_text_copy(identity->uuid, list[0].uuid);
    providers_free(list, count);
    return 0;
}

/* The first view may be another Placement's, and only its details tell whether it has
 * all. What was read for a later one that is older is of a database that has gone. */
static int build_tree(struct placement_fetch *fetch, struct tree_build *build,
                      struct provider *list, size_t count, const char *older,
                      int64_t now, struct error *err)
{
    bool loses = older && fetch->believed;
    if (loses && doubt(fetch, older, now, err) != 0)
        return -1;
    if (older)
        forget_tree(fetch);
    build->pieces = pieces_for(fetch, older != NULL);
    if (tree_build_make(build, fetch->client, fetch->config, &fetch->expected,
                        fetch->observed, list, count, err) != 0)
        return -1;
    if (older && !loses && !seen_has_all(fetch->journal, build->observed)) {
        loses = true;
        if (doubt(fetch, older, now, err) != 0) {
            tree_build_keep(build);
            return -1;
        }
    }
    if (loses)
        accept_older(fetch, now);
    return 0;
}

static int take_tree(struct placement_fetch *fetch, struct provider *list, size_t count,
                     const char *root, int64_t now, struct error *err)
{
    _cleanup_tree_build_ struct tree_build build = {0};
    if (list[0].parent[0])
        return error_set(err, ERROR_INVALID,
                         "provider %s (%s) is to be this host's root, but is a child",
                         list[0].name, root);
    bool another = *fetch->journal->root && strcmp(fetch->journal->root, root) != 0;
    _cleanup_free_ char *older =
        another ? NULL : seen_older(fetch->journal, list, count);
    if (build_tree(fetch, &build, list, count, older, now, err) != 0)
        return -1;
    fetch->moved = fetch->observed && build.changed;
    if (build.changed)
        strlist_clear(&fetch->missing_traits);
    fetch->observed = tree_build_take_over(&build, fetch->observed);
    if (!another)
        take_seen(fetch, now);
    return 0;
}

static int fetch_below(struct placement_fetch *fetch, const char *root, int64_t now,
                       bool *found, struct error *err)
{
    struct provider *list = NULL;
    size_t count = 0;
    if (placement_get_tree(fetch->client, root, &list, &count, err) != 0)
        return -1;
    *found = tree_build_order(list, count, root);
    int rc = *found ? take_tree(fetch, list, count, root, now, err) : 0;
    providers_free(list, count);
    return rc;
}

static int find_root(struct placement_fetch *fetch, int64_t now, bool *found,
                     struct error *err)
{
    struct root_identity identity = {0};
    if (root_identity_find(fetch->config, &identity, err) != 0)
        return -1;
    int rc = 0;
    *found = false;
    if (!identity.uuid[0])
        rc = look_up(fetch->client, &identity, err);
    if (rc == 0 && identity.uuid[0])
        rc = fetch_below(fetch, identity.uuid, now, found, err);
    if (rc == 0 && !*found)
        rc = set_rootless(fetch, &identity, now, err);
    root_identity_clear(&identity);
    return rc;
}

int placement_fetch_tree(struct placement_fetch *fetch, int64_t now,
                         const struct observed **out, struct error *err)
{
    bool found = false;
    fetch->moved = false;
    if (fetch->observed && fetch->observed->root_found) {
        char root[UUID_TEXT_SIZE];
        memcpy(root, fetch->observed->root_uuid, sizeof root);
        if (fetch_below(fetch, root, now, &found, err) != 0)
            return -1;
    }
    if (!found && find_root(fetch, now, &found, err) != 0)
        return -1;
    fetch->observed->keeps_some_free =
        placement_client_minor(fetch->client) < MICROVERSION_ALL_RESERVED;
    if (!fetch->doubted && fetch->asks_again) {
        strlist_clear(&fetch->missing_traits);
        fetch->root_asked = fetch->asks_again = false;
    }
    fetch->doubted = false;
    *out = fetch->observed;
    return 0;
}

bool placement_fetch_expect(struct placement_fetch *fetch, const struct strlist *uuids)
{
    const struct observed *observed = fetch->observed;
    _cleanup_strlist_ struct strlist tried = fetch->expected;
    fetch->expected = strlist_copy(uuids);
    for (size_t i = 0; i < observed->provider_count; i++) {
        const struct observed_provider *provider = &observed->providers[i];
        if (!provider->detailed &&
            strcmp(provider->provider.uuid, observed->root_uuid) != 0 &&
            strlist_contains(uuids, provider->provider.uuid) &&
            !strlist_contains(&tried, provider->provider.uuid))
            return true;
    }
    return false;
}

int placement_fetch_root(struct placement_fetch *fetch, const struct strlist *classes,
                         struct error *err)
{
    struct observed *observed = fetch->observed;
    struct class_inventory *items = NULL;
    size_t count = 0;
    int64_t generation;
    if (fetch->root_asked || !observed->root_found)
        return 0;
    if (placement_get_inventories(fetch->client, observed->root_uuid, &items, &count,
                                  &generation, err) != 0)
        return -1;
    strlist_clear(&observed->root_classes);
    for (size_t i = 0; i < count; i++)
        if (strlist_contains(classes, items[i].resource_class))
            strlist_add_unique(&observed->root_classes, items[i].resource_class);
    class_inventories_free(items, count);
    fetch->root_asked = true;
    return 0;
}

/* ---- what the generations do not show ---- */

int placement_fetch_one(struct placement_fetch *fetch, const struct observed **out,
                        struct error *err)
{
    enum recheck_result result;
    *out = NULL;
    if (!fetch->observed || fetch->doubted)
        return 0;
    if (recheck_one(&fetch->recheck, fetch->client, fetch->observed, &result, err) != 0)
        return -1;
    if (result == RECHECK_SAME)
        *out = fetch->observed;
    else if (result == RECHECK_OTHER)
        placement_fetch_forget(fetch);
    return 0;
}

int placement_fetch_departures(struct placement_fetch *fetch,
                               const struct strlist *providers, struct error *err)
{
    return recheck_departures(fetch->client, fetch->observed, providers, err);
}

/* ---- one consumer ---- */

const struct observed *
placement_fetch_add_consumer(struct placement_fetch *fetch,
                             const struct consumer_allocations *have)
{
    if (!fetch->observed || fetch->doubted ||
        !observed_add_consumer(fetch->observed, have))
        return NULL;
    return fetch->observed;
}

bool placement_fetch_knows(const struct placement_fetch *fetch,
                           const struct consumer_allocations *have)
{
    return fetch->observed && !fetch->doubted &&
           observed_knows_consumer(fetch->observed, have);
}

/* ---- what was seen and written ---- */

bool placement_fetch_take_news(struct placement_fetch *fetch)
{
    bool unsaved = fetch->unsaved;
    fetch->unsaved = false;
    return unsaved;
}

bool placement_fetch_moved(const struct placement_fetch *fetch)
{
    return fetch->moved;
}

void placement_fetch_wrote(struct placement_fetch *fetch, const char *provider,
                           int64_t generation)
{
    fetch->unsaved |= seen_note(fetch->journal, provider, generation);
}

void placement_fetch_remade(struct placement_fetch *fetch, const char *provider)
{
    fetch->unsaved |= seen_drop(fetch->journal, provider);
}

/* ---- traits ---- */

/* A trait that a provider has exists on the server. */
static bool is_in_use(const struct observed *observed, const char *name)
{
    for (size_t i = 0; i < observed->provider_count; i++)
        if (strlist_contains(&observed->providers[i].traits, name))
            return true;
    return false;
}

int placement_fetch_traits(struct placement_fetch *fetch, const struct strlist *names,
                           struct error *err)
{
    struct strlist *known = &fetch->observed->known_traits;
    _cleanup_strlist_ struct strlist asked = {0}, there = {0};
    for (size_t i = 0; i < names->count; i++) {
        const char *name = names->items[i];
        if (strlist_contains(known, name) ||
            strlist_contains(&fetch->missing_traits, name))
            continue;
        if (is_in_use(fetch->observed, name))
            strlist_add(known, name);
        else
            strlist_add_unique(&asked, name);
    }
    if (asked.count && placement_get_traits(fetch->client, &asked, &there, err) != 0)
        return -1;
    for (size_t i = 0; i < asked.count; i++) {
        bool found = strlist_contains(&there, asked.items[i]);
        strlist_add(found ? known : &fetch->missing_traits, asked.items[i]);
    }
    strlist_sort(known);
    return 0;
}
