/*
 * capacity: how many devices of a type a GPU has and can have, for its inventory. Pure
 * functions on struct host.
 */
#ifndef AGENT_HOST_CAPACITY_H
#define AGENT_HOST_CAPACITY_H

#include <stdint.h>

#include "agent/host/host.h"

/* The number of existing devices of the type, over all parents of the card. Devices in
 * transition are not counted. */
unsigned gpu_device_count(const struct gpu *gpu, const char *type_id);

/* The number of the card's parents on which at least one device of the type can be made
 * now. */
unsigned gpu_offering_count(const struct gpu *gpu, const char *type_id);

/* The most devices of the type that can exist below the parents of `view`, which are
 * some of the card's parents: max_instance less the devices below the other parents.
 * INT64_MAX where max_instance is not known, or `type_id` is NULL. */
int64_t gpu_limit_below(const struct gpu *gpu, const struct gpu *view,
                        const char *type_id);

/* The most devices of the type that a card with virtual functions takes beside its
 * devices of other types, where each type is a part of what the card has (one of
 * max_instance). Functions that are free show an instance of each type until the card
 * is full, which does not tell that. INT64_MAX where the card is the parent itself,
 * whose available_instances tells, and where a max_instance is not known. `moving` are
 * the types of devices in transition, as far as they are known otherwise; NULL: none. */
int64_t gpu_limit_beside(const struct gpu *gpu, const char *type_id,
                         const struct strlist *moving);

/* The existing devices of the type plus those that can still be made: the sum of
 * available_instances over the card's parents, at most the type's max_instance (with
 * SR-IOV only that number is right, since each free VF shows 1 until the card is full).
 * What could not be read and what is in transition is not counted, so that the result
 * may be too low, but never too high. `type_id` NULL gives 0. */
unsigned gpu_capacity(const struct gpu *gpu, const char *type_id);
/* The same without so many of the instances that can still be made, since they cannot be
 * had. */
unsigned gpu_capacity_without(const struct gpu *gpu, const char *type_id,
                              unsigned instances);

#endif
