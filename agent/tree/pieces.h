/*
 * pieces: the providers that were read in detail for a tree which could not be read to
 * its end, so that the next attempt goes on with the others. Before a Placement that
 * answers only a part of all requests in time, an agent that began anew each time would
 * never have read them all, and would take the place of others that might.
 */
#ifndef AGENT_TREE_PIECES_H
#define AGENT_TREE_PIECES_H

#include "agent/tree/observed.h"

struct pieces {
    struct observed_provider *items;
    size_t count;
};

/* Moves the provider there, in the place of an older one; `item` is empty then. */
void pieces_take(struct pieces *pieces, struct observed_provider *item);
/* NULL: it is not there. */
struct observed_provider *pieces_find(const struct pieces *pieces, const char *uuid);
void pieces_clear(struct pieces *pieces);

#endif
