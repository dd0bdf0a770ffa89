/*
 * spread: an order of consumers in which those of one tree stand apart: first one of each
 * tree, then a second one of each, and so on. Two writes of allocations to one provider at
 * the same moment cost both: one of them is tried again, ten times by OpenStack's Placement
 * itself, and then refused. Stateless.
 */
#ifndef PLACEMENT_TRANSFER_SPREAD_H
#define PLACEMENT_TRANSFER_SPREAD_H

#include "placement/transfer/snapshot.h"

/* The numbers of all consumers of the snapshot in that order. The tree is that of the first
 * provider that a consumer has something of. The caller frees. */
size_t *spread_consumers(const struct snapshot *snapshot);

#endif
