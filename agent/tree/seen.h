/*
 * seen: the newest state of Placement that was seen, by which an older view is
 * recognised: a read replica that lags shows a past state, and a database that was
 * restored from a backup or made anew shows a state that never comes back to the
 * present one. Either would have the agent remove devices whose allocations exist. So
 * such a view is refused at first, and accepted only when it has persisted for
 * SEEN_PATIENCE. Pure: no I/O, no clock.
 */
#ifndef AGENT_TREE_SEEN_H
#define AGENT_TREE_SEEN_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/error.h"
#include "placement/model.h"

#define SEEN_PATIENCE 60 /* seconds */

struct seen_provider {
    char uuid[UUID_TEXT_SIZE];
    int64_t generation; /* the highest that was seen */
    bool root;
};

/* All zero: nothing was seen yet. */
struct seen {
    struct seen_provider *providers;
    size_t count;
    int64_t doubted_since; /* when the older view first appeared; 0: there is none */
};

void seen_clear(struct seen *seen);

/* Records that the provider has had this generation; also after a write of our own. */
void seen_note(struct seen *seen, const char *uuid, int64_t generation);
/* Forgets a provider that the agent itself has made or deleted: its earlier generations
 * say nothing about it any more. */
void seen_drop(struct seen *seen, const char *uuid);

/* `list` is the whole tree (with `root` in it), or empty where there is no root. 0 when
 * it is not older than what was seen, or has been older for SEEN_PATIENCE: then it is
 * recorded as seen. CONFLICT otherwise: a provider has a lower generation than before,
 * the root is missing, or all of several other providers are. `now` is in seconds of
 * any clock that only goes forward. *reset is set to true when an older view is
 * accepted: then nothing that was read before may be kept. */
int seen_judge(struct seen *seen, const struct provider *list, size_t count,
               const char *root, int64_t now, bool *reset, struct error *err);

#endif
