#include "agent/tree/seen.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/xalloc.h"

/* A single missing child was deleted; several at once are missing with the database. */
#define SEVERAL 2

static struct journal_seen *find(const struct journal *journal, const char *uuid)
{
    for (size_t i = 0; i < journal->seen_count; i++)
        if (strcmp(journal->seen[i].uuid, uuid) == 0)
            return &journal->seen[i];
    return NULL;
}

static struct journal_seen *entry(struct journal *journal, const char *uuid)
{
    struct journal_seen *known = find(journal, uuid);
    if (known)
        return known;
    known = array_add(journal->seen, journal->seen_count);
    *known = (struct journal_seen){0};
    uuid_text_copy(known->uuid, uuid);
    return known;
}

void seen_begin(struct journal *journal)
{
    if (journal->seen_count || journal->replaced_at || !*journal->root)
        return;
    bool had_children = false;
    for (size_t i = 0; i < journal->provider_count; i++) {
        char computed[UUID_TEXT_SIZE];
        uuid5_text(journal->root, journal->providers[i].name, computed);
        if (strcmp(computed, journal->providers[i].uuid) != 0)
            continue;
        (void)entry(journal, computed);
        had_children = true;
    }
    if (had_children)
        entry(journal, journal->root)->root = true;
}

bool seen_note(struct journal *journal, const char *uuid, int64_t generation)
{
    size_t count = journal->seen_count;
    struct journal_seen *known = entry(journal, uuid);
    if (generation <= known->generation)
        return journal->seen_count != count;
    known->generation = generation;
    return true;
}

bool seen_drop(struct journal *journal, const char *uuid)
{
    struct journal_seen *known = find(journal, uuid);
    if (known)
        *known = journal->seen[--journal->seen_count];
    return known;
}

/* ---- older views ---- */

static const struct provider *in_list(const struct provider *list, size_t count,
                                      const char *uuid)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(list[i].uuid, uuid) == 0)
            return &list[i];
    return NULL;
}

/* Whether the device stands for an allocation, as far as was known last. */
static bool stands_for_one(const struct journal_device *device)
{
    return !device->by_hand && !device->released_at;
}

static bool has_devices(const struct journal *journal, const char *provider)
{
    for (size_t i = 0; i < journal->device_count; i++)
        if (stands_for_one(&journal->devices[i]) && !journal->devices[i].adopted &&
            strcmp(journal->devices[i].provider, provider) == 0)
            return true;
    return false;
}

char *seen_older(const struct journal *journal, const struct provider *list,
                 size_t count)
{
    size_t children = 0, gone = 0;
    const struct journal_seen *seen = journal->seen;
    const char *emptied = NULL;
    for (size_t i = 0; i < journal->seen_count; i++) {
        const struct provider *now = in_list(list, count, seen[i].uuid);
        children += !seen[i].root;
        gone += !seen[i].root && !now;
        if (now && now->generation < seen[i].generation)
            return xasprintf("%s is at generation %" PRId64 " and was at %" PRId64,
                             now->name, now->generation, seen[i].generation);
        if (!now && seen[i].root)
            return xasprintf("the root provider %s has gone", seen[i].uuid);
        if (!now && has_devices(journal, seen[i].uuid))
            emptied = seen[i].uuid;
    }
    if (gone >= SEVERAL && gone == children)
        return xasprintf("all %zu providers of the host's have gone", gone);
    return emptied ? xasprintf("the provider %s has gone with its allocations", emptied)
                   : NULL;
}

/* ---- what an older view still has ---- */

static bool is_allocated(const struct observed *tree,
                         const struct journal_device *device)
{
    const struct observed_provider *provider = observed_by_uuid(tree, device->provider);
    for (size_t i = 0; provider && i < provider->allocation_count; i++) {
        const struct provider_allocation *allocation = &provider->allocations[i];
        if ((strcmp(allocation->consumer, device->consumer) == 0 ||
             strcmp(allocation->consumer, device->migration) == 0) &&
            strcmp(allocation->resource_class, device->resource_class) == 0)
            return true;
    }
    return false;
}

bool seen_has_all(const struct journal *journal, const struct observed *tree)
{
    for (size_t i = 0; i < journal->device_count; i++)
        if (stands_for_one(&journal->devices[i]) &&
            !is_allocated(tree, &journal->devices[i]))
            return false;
    return true;
}

/* ---- judging ---- */

int seen_doubt(struct journal *journal, const char *older, int64_t now, bool *changed,
               struct error *err)
{
    if (!journal->doubted_since) {
        journal->doubted_since = now > 0 ? now : 1;
        *changed = true;
    }
    if (now - journal->doubted_since < SEEN_PATIENCE)
        return error_set(err, ERROR_CONFLICT,
                         "Placement shows less than it has shown before (a database "
                         "that was restored, or a replica that lags): %s. Nothing is "
                         "changed for it until it has stayed so for %d s",
                         older, SEEN_PATIENCE);
    return 0;
}

void seen_accept(struct journal *journal, int64_t now)
{
    journal->doubted_since = 0;
    journal->replaced_at = now > 0 ? now : 1;
}

static bool is_ours(const struct observed *tree,
                    const struct observed_provider *provider)
{
    return provider->detailed || strcmp(provider->provider.uuid, tree->root_uuid) == 0;
}

/* One that could not be read is only listed. It does not raise what was seen, so that the
 * state file need not be written for it. */
static int64_t newest(const struct observed *tree,
                      const struct observed_provider *provider,
                      const struct journal_seen *known)
{
    int64_t listed = provider->provider.generation;
    return is_ours(tree, provider) || listed < known->generation ? listed
                                                                 : known->generation;
}

bool seen_take(struct journal *journal, const struct observed *tree)
{
    _cleanup_free_ struct journal_seen *before = journal->seen;
    struct journal then = {.seen = before, .seen_count = journal->seen_count};
    bool changed = journal->doubted_since != 0;
    journal->seen = NULL;
    journal->seen_count = 0;
    journal->doubted_since = 0;
    for (size_t i = 0; i < tree->provider_count; i++) {
        const struct provider *provider = &tree->providers[i].provider;
        const struct journal_seen *known = find(&then, provider->uuid);
        if (!known && !is_ours(tree, &tree->providers[i]))
            continue;
        struct journal_seen *seen = entry(journal, provider->uuid);
        seen->generation = newest(tree, &tree->providers[i], known);
        seen->root = strcmp(provider->uuid, tree->root_uuid) == 0;
        changed |= !known || (!seen->root && seen->generation != known->generation);
    }
    return changed || journal->seen_count != then.seen_count;
}
