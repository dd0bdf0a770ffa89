/*
 * seen: how new Placement has been seen to be, by which an older view of it is known: a
 * read replica that lags shows what is so no more, and a database that was restored
 * from a backup, or made anew, what never will be again. Either would have devices
 * removed whose allocations stand. So such a view is not taken at once, but only when
 * it has stayed for SEEN_PATIENCE. Pure: no I/O, no clock.
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
    int64_t generation; /* the highest */
    bool root;
};

/* All zero: nothing yet. */
struct seen {
    struct seen_provider *providers;
    size_t count;
    int64_t doubted_since; /* when the older view came; 0: there is none */
};

void seen_clear(struct seen *seen);

/* The provider has had this generation, be it by our own write. */
void seen_note(struct seen *seen, const char *uuid, int64_t generation);
/* It is made or deleted by ourselves: what it was says nothing any more. */
void seen_drop(struct seen *seen, const char *uuid);

/* `list` is the whole tree (`root` in it), or empty where there is no root. 0 when it is
 * not older than what was seen, or has been for SEEN_PATIENCE: then it is what was
 * seen. CONFLICT otherwise: a provider is at a lower generation than it was, the root
 * has gone, or all of several other providers have. `now` is in seconds of any clock
 * that only goes forward. *reset: what was seen before is no more so, and nothing that
 * was read of it may be kept. */
int seen_judge(struct seen *seen, const struct provider *list, size_t count,
               const char *root, int64_t now, bool *reset, struct error *err);

#endif
