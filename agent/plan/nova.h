/*
 * nova: nova mode's part in the devices of one group (a parent). nova-compute
 * makes them and gives them to guests; the agent notes in the journal which libvirt
 * domain names which, so that they can be put back after a reboot, and removes nothing.
 */
#ifndef AGENT_PLAN_NOVA_H
#define AGENT_PLAN_NOVA_H

#include "agent/plan/world.h"

/* Which device is whose, by the domains alone: Nova picks them as it likes. Sets
 * world->needs_use when there are, or should be, any. */
void match_nova_devices(struct world *world, struct group *group);
/* The journal's part. */
void note_nova_devices(struct world *world, struct group *group);

#endif
