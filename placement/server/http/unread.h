/*
 * unread: the replies that have been made and that their clients have not read to the
 * end, with the memory that all of them have together. When a large one more does not
 * fit, those clients are cut off that have had some seconds to read the oldest ones;
 * small replies always fit. One thread.
 */
#ifndef PLACEMENT_SERVER_HTTP_UNREAD_H
#define PLACEMENT_SERVER_HTTP_UNREAD_H

#include <stddef.h>
#include <stdint.h>

#include "lib/connections.h"

/* A reply; all zero is none. A member of what has it. */
struct unread {
    struct peer *peer;
    size_t bytes;
    int64_t since; /* monotonic, ms */
    struct unread *next, **previous;
};

struct unread_list {
    size_t max, used; /* bytes */
    struct unread *oldest, **newest;
};

void unread_begin(struct unread_list *list, size_t max);
/* False: it does not fit. */
bool unread_add(struct unread_list *list, struct unread *reply, struct peer *peer,
                size_t bytes, struct peers *peers);
/* It is read, or nobody will read it. May be called for none. */
void unread_remove(struct unread_list *list, struct unread *reply);

#endif
