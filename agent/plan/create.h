/*
 * create: makes the devices that are still missing in one group: those that were
 * lost under their old uuid, others under a computed one. An allocation is served whole
 * or not at all; those that had devices before come first, so that after a reboot
 * nobody loses a place to a newcomer; then in the order of the consumers' uuids.
 *
 * Fills in want->state, want->reason and want->devices.
 */
#ifndef AGENT_PLAN_CREATE_H
#define AGENT_PLAN_CREATE_H

#include "agent/plan/world.h"

void create_devices(struct world *world, struct group *group);

/* A type other than the configured one that a lost device of the want is to be made of;
 * NULL: none. */
const struct device_type *want_lost_type(const struct want *want);

#endif
