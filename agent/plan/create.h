/*
 * create: plans the creation of the devices that are missing in one group: lost devices
 * under their old uuid, further ones under a computed uuid. An allocation gets all of
 * its devices or none. Allocations that had devices before come first, so that after a
 * reboot none of them loses its place to a new consumer; the others follow in the order
 * of their consumers' uuids.
 *
 * Fills in want->state, want->reason and want->devices.
 */
#ifndef AGENT_PLAN_CREATE_H
#define AGENT_PLAN_CREATE_H

#include "agent/plan/world.h"

void create_devices(struct world *world, struct group *group);

/* The type of a lost device that meets the want, if that is not the configured type.
 * NULL: there is no such device. */
const struct device_type *want_lost_type(const struct want *want);

#endif
