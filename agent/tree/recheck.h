/*
 * recheck: looks, one request at a time, at what the generations of a cached tree do not
 * show. The removal of allocations raises no generation (DELETE /allocations, and a PUT
 * or POST that moves a consumer away). So the providers that have allocations are read
 * in turn. And after a restored database, equal generations do not mean equal contents:
 * after each such turn one part of one provider is compared, and the next part after the
 * next turn. One thread, the client's.
 */
#ifndef AGENT_TREE_RECHECK_H
#define AGENT_TREE_RECHECK_H

#include "agent/tree/observed.h"
#include "placement/client/client.h"

/* All zero: it begins with the first provider. */
struct recheck {
    /* The position among the providers with allocations, and among all parts of all
     * providers. */
    size_t turn, compared;
};

enum recheck_result {
    RECHECK_SAME,
    /* The provider has moved, has gone, or has lost allocations, which are gone from the
     * tree by then. */
    RECHECK_CHANGED,
    /* A part differs at the same generation: it was read from another database, of which
     * nothing is known. */
    RECHECK_OTHER,
};

/* Has the next recheck_one() compare a part. */
void recheck_compare_next(struct recheck *recheck);
/* Sends one request about one provider, at the most. */
int recheck_one(struct recheck *recheck, struct placement_client *client,
                struct observed *observed, enum recheck_result *result,
                struct error *err);
/* Sends one request for each of `providers` (uuids) that has allocations, and takes the
 * removed ones out of the tree. */
int recheck_departures(struct placement_client *client, struct observed *observed,
                       const struct strlist *providers, struct error *err);

#endif
