/*
 * observed_consumer: what a cached tree shows of one consumer, beside what Placement
 * was asked about that consumer alone. Pure: no requests.
 */
#ifndef AGENT_TREE_OBSERVED_CONSUMER_H
#define AGENT_TREE_OBSERVED_CONSUMER_H

#include "agent/tree/observed.h"

/* Adds what the consumer was seen to have on the providers that were read in detail.
 * false: the tree shows allocations of the consumer, and is as before. */
bool observed_add_consumer(struct observed *observed,
                           const struct consumer_allocations *have);
/* Whether the tree shows the same of the consumer, on the providers that were read in
 * detail. */
bool observed_knows_consumer(const struct observed *observed,
                             const struct consumer_allocations *have);

#endif
