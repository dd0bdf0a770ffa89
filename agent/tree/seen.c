#include "agent/tree/seen.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/xalloc.h"

/* A single missing child was deleted; several at once are missing with the database. */
#define SEVERAL 2

void seen_clear(struct seen *seen)
{
    free(seen->providers);
    *seen = (struct seen){0};
}

static struct seen_provider *find(const struct seen *seen, const char *uuid)
{
    for (size_t i = 0; i < seen->count; i++)
        if (strcmp(seen->providers[i].uuid, uuid) == 0)
            return &seen->providers[i];
    return NULL;
}

static struct seen_provider *entry(struct seen *seen, const char *uuid)
{
    struct seen_provider *known = find(seen, uuid);
    if (known)
        return known;
    known = array_add(seen->providers, seen->count);
    uuid_text_copy(known->uuid, uuid);
    return known;
}

void seen_note(struct seen *seen, const char *uuid, int64_t generation)
{
    struct seen_provider *known = entry(seen, uuid);
    if (generation > known->generation)
        known->generation = generation;
}

void seen_drop(struct seen *seen, const char *uuid)
{
    struct seen_provider *known = find(seen, uuid);
    if (known)
        *known = seen->providers[--seen->count];
}

/* ---- judging ---- */

static const struct provider *in_list(const struct provider *list, size_t count,
                                      const char *uuid)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(list[i].uuid, uuid) == 0)
            return &list[i];
    return NULL;
}

/* Why the view is older than what was seen, as a text that the caller frees; NULL: it
 * is not older. */
static char *what_is_older(const struct seen *seen, const struct provider *list,
                           size_t count)
{
    size_t children = 0, gone = 0;
    for (size_t i = 0; i < seen->count; i++) {
        const struct seen_provider *known = &seen->providers[i];
        const struct provider *now = in_list(list, count, known->uuid);
        children += !known->root;
        gone += !known->root && !now;
        if (now && now->generation < known->generation)
            return xasprintf("%s is at generation %" PRId64 " and was at %" PRId64,
                             now->name, now->generation, known->generation);
        if (!now && known->root)
            return xasprintf("the root provider %s has gone", known->uuid);
    }
    if (gone < SEVERAL || gone < children)
        return NULL;
    return xasprintf("all %zu providers of the host's have gone", gone);
}

/* Records the view as the newest one. */
static void take(struct seen *seen, const struct provider *list, size_t count,
                 const char *root)
{
    seen_clear(seen);
    for (size_t i = 0; i < count; i++) {
        seen_note(seen, list[i].uuid, list[i].generation);
        entry(seen, list[i].uuid)->root = strcmp(list[i].uuid, root) == 0;
    }
}

int seen_judge(struct seen *seen, const struct provider *list, size_t count,
               const char *root, int64_t now, bool *reset, struct error *err)
{
    _cleanup_free_ char *older = what_is_older(seen, list, count);
    if (older && !seen->doubted_since)
        seen->doubted_since = now > 0 ? now : 1;
    if (older && now - seen->doubted_since < SEEN_PATIENCE)
        return error_set(err, ERROR_CONFLICT,
                         "Placement shows less than it has shown before (a database "
                         "that was restored, or a replica that lags): %s. Nothing is "
                         "changed for it until it has stayed so for %d s",
                         older, SEEN_PATIENCE);
    *reset = older != NULL;
    take(seen, list, count, root);
    return 0;
}
