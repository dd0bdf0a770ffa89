/*
 * nova_notes: what the journal has of the devices of one group (a parent) in nova mode.
 * nova-compute makes devices and gives them to guests. The agent notes which libvirt
 * domain names which device, so that it can make them again after a reboot. It removes no
 * device.
 */
#ifndef AGENT_PLAN_DEVICES_NOVA_NOTES_H
#define AGENT_PLAN_DEVICES_NOVA_NOTES_H

#include "agent/plan/world/world.h"

/* Adds the steps that note in the journal which domain has which device, and those that
 * forget devices that no domain names. */
void note_nova_devices(struct world *world, struct group *group);

#endif
