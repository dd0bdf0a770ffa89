/*
 * unread: the replies that are being made, or that their clients have not read to the
 * end, with the memory that all of them have together. A large one asks for memory as it
 * grows, so that none is made for which there is no room. When it does not fit, those
 * clients are cut off that have had some seconds to read the oldest ones; and where one
 * address has more than half of all, its oldest ones, for the reply to another. Small
 * replies always fit. One thread.
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
    int64_t since; /* it became large; monotonic, ms */
    struct unread *next, **previous;
};

struct unread_list {
    size_t max, used; /* bytes */
    struct unread *oldest, **newest;
};

void unread_begin(struct unread_list *list, size_t max);
/* How many bytes the reply to that peer, which wants so many, may have: fewer where they
 * do not fit. `peers` has all whom this may cut off. */
size_t unread_grow(struct unread_list *list, struct unread *reply, struct peer *peer,
                   size_t bytes, struct peers *peers);
/* It is made, and has so many, no more than it may. */
void unread_settle(struct unread_list *list, struct unread *reply, size_t bytes);
/* It is read, or nobody will read it. May be called for none. */
void unread_remove(struct unread_list *list, struct unread *reply);

#endif
