/*
 * release: what one group's devices and the journal's entries for them come to:
 * devices that meet an allocation are noted as its own; surplus ones are marked, and
 * removed when ALL of this holds: the journal says that the agent made them, Placement
 * was read and names them no more, the grace period is over by a clock that did not go
 * backwards, no process has their VFIO group, no libvirt domain names them, mdevctl
 * does not define them, all of that could be looked up, the journal is whole, and the
 * GPU is well. Entries whose device is gone and not wanted are forgotten.
 */
#ifndef AGENT_PLAN_RELEASE_H
#define AGENT_PLAN_RELEASE_H

#include "agent/plan/world.h"

/* Notes in the journal which device is whose. */
void take_devices(struct world *world, struct group *group);
/* Sets world->needs_use where it cannot be told without. */
void release_devices(struct world *world, struct group *group);

#endif
