/*
 * candidates: the allocation candidates of a plan, one at a time, as many as the caller
 * wants: what is not asked for is not computed. A candidate is a provider for each slot
 * of the plan. Candidates come in a fixed order; two with the same allocations and
 * mappings (which only sharing providers can make, seen from several trees) come once.
 *
 * Depth first takes all candidates of a root before the next root; breadth first takes
 * one of each root in turn, so that a few of very many come from many roots. Within a
 * root, plan->order says whose turn is first.
 *
 * Borrows the plan. One thread.
 */
#ifndef PLACEMENT_SERVER_CANDIDATES_CANDIDATES_H
#define PLACEMENT_SERVER_CANDIDATES_CANDIDATES_H

#include <stdbool.h>

#include "placement/server/candidates/slots.h"

/* How many a reply may hold, whatever the configuration says. */
#define CANDIDATES_MAX 1000000

struct candidates;

struct candidates *candidates_new(const struct candidates_plan *plan,
                                  bool breadth_first);
void candidates_free(struct candidates *candidates);
DEFINE_CLEANUP(struct candidates *, candidates_free)

/* The next one: a provider for each slot, until the next call. NULL: no more, or the
 * budget of the plan is spent. */
const struct resource_provider *const *candidates_next(struct candidates *candidates);

#endif
