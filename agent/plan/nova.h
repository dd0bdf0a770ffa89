/*
 * nova: the devices of one group (a parent) in nova mode. nova-compute makes devices
 * and gives them to guests. The agent notes in the journal which libvirt domain names
 * which device, so that it can make them again after a reboot. It removes no device.
 */
#ifndef AGENT_PLAN_NOVA_H
#define AGENT_PLAN_NOVA_H

#include "agent/plan/world.h"

/* Matches devices to allocations by the libvirt domains alone, since Nova chooses
 * devices freely. Sets world->needs_use when the group has allocations, or in nova mode
 * any devices or lost devices. */
void match_nova_devices(struct world *world, struct group *group);
/* Adds the steps that note in the journal which domain has which device, and those that
 * forget devices that no domain names. */
void note_nova_devices(struct world *world, struct group *group);

#endif
