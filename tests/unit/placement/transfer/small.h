/* small: snapshots of a few lines, for tests: one provider P with some VGPU, and consumers
 * of it. */
#ifndef TESTS_UNIT_PLACEMENT_TRANSFER_SMALL_H
#define TESTS_UNIT_PLACEMENT_TRANSFER_SMALL_H

#include "placement/transfer/snapshot.h"

#define P "aaaaaaaa-0000-4000-8000-000000000001"
#define A "bbbbbbbb-0000-4000-8000-000000000001"
#define B "bbbbbbbb-0000-4000-8000-000000000002"

/* Adds the provider, called `name`. With a `total` of 0 it has no inventory. */
struct snapshot_provider *small_provider(struct snapshot *snapshot, const char *name,
                                         int64_t total, int64_t reserved, int64_t step);
/* Adds a consumer of so many VGPU of P. */
struct snapshot_consumer *small_consumer(struct snapshot *snapshot, const char *uuid,
                                         int64_t amount);

#endif
