/*
 * create: plans the creation of the devices that are missing in one group: lost devices
 * under their old uuid, further ones under a computed uuid. An allocation gets all of
 * its devices or none. Allocations that had devices before come first, so that after a
 * reboot none of them loses its place to a new consumer; the others follow in the order
 * of their consumers' uuids.
 *
 * Fills in want->state, want->reason and want->devices.
 */
#ifndef AGENT_PLAN_DEVICES_CREATE_H
#define AGENT_PLAN_DEVICES_CREATE_H

#include "agent/plan/world/world.h"

void create_devices(struct world *world, struct group *group);

#endif
