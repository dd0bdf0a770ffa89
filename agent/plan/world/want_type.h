/*
 * want_type: the types of the devices that an allocation has, or is to get: the type that
 * it means, and those of lost devices, which keep theirs.
 */
#ifndef AGENT_PLAN_WORLD_WANT_TYPE_H
#define AGENT_PLAN_WORLD_WANT_TYPE_H

#include "agent/plan/world/world.h"

/* The id of the type that a new device for the want is of. NULL: none. An allocation on
 * a provider that has no type of its own now, from before its types had providers, or
 * after, means the type that the provider's traits name. */
const char *want_type_id(const struct want *want);
/* False when a device of this type cannot be the want's, since each of the card's types
 * has its own provider. Always true on a card with one type. */
bool want_takes_type(const struct want *want, const char *type_id,
                     const char *type_name);
/* The parents that devices for the want may be made on: those that the configuration
 * gives it; for a retired provider, the whole card. NULL: it is not on the host. */
const struct gpu *want_place(const struct want *want);
/* The type that a new device for the want is of. NULL: there is none. */
const struct device_type *want_new_type(const struct want *want);
/* The type of a lost device that meets the want, if that is not the one of new devices.
 * NULL: there is no such device. */
const struct device_type *want_lost_type(const struct want *want);
/* The type of a lost device as the GPU offers it now. It is looked up by name, since
 * ids change with driver upgrades and names do not. NULL: the GPU does not offer it. */
const struct device_type *entry_type(const struct gpu *place,
                                     const struct journal_device *entry);

/* True when a lost device is to be made again with a type other than the configured
 * one: on most cards that leaves no room for the configured one. */
bool managed_makes_other_type(const struct managed *managed);

#endif
