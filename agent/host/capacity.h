/*
 * capacity: how many devices of a type a GPU carries and can carry: what its inventory
 * says. Pure functions on struct host.
 */
#ifndef AGENT_HOST_CAPACITY_H
#define AGENT_HOST_CAPACITY_H

#include <stdint.h>

#include "agent/host/host.h"

/* Devices of the type that exist, over all parents of the card. Those in transition are
 * not counted. */
unsigned gpu_device_count(const struct gpu *gpu, const char *type_id);

/* The most devices of the type that the card takes below the parents of `view`, which
 * are some of its own: max_instance less the devices below the others. INT64_MAX where
 * it does not say, or `type_id` is NULL. */
int64_t gpu_limit_below(const struct gpu *gpu, const struct gpu *view,
                        const char *type_id);

/* Devices of the type that exist, plus those that can still be made: the sum of
 * available_instances over the card's parents; at most the type's max_instance (which
 * alone is the truth with SR-IOV, where each free VF shows 1 until the card is full)
 * and at most `max_instances` (the configured cap; 0: none). What could not be read,
 * and what is in transition, counts for nothing: less is reported, never more.
 * `type_id` may be NULL: 0. */
unsigned gpu_capacity(const struct gpu *gpu, const char *type_id,
                      unsigned max_instances);

#endif
