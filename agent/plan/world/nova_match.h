/*
 * nova_match: decides which device meets which allocation where Nova gives the devices to
 * guests: by the libvirt domains alone, since Nova chooses devices freely. Fills in
 * want->met and present->want of one group.
 */
#ifndef AGENT_PLAN_WORLD_NOVA_MATCH_H
#define AGENT_PLAN_WORLD_NOVA_MATCH_H

#include "agent/plan/world/world.h"

/* Sets world->needs_use when the group has allocations, or in nova mode any devices or
 * lost devices. */
void match_nova_devices(struct world *world, struct group *group);

#endif
