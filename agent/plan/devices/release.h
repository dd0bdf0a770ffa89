/*
 * release: updates the journal for one group's devices, and removes surplus devices. A
 * device that meets an allocation is noted as its consumer's. A surplus device is
 * marked as released, and removed when ALL of this holds: the journal says that the
 * agent made it; Placement was read and no allocation needs the device; the grace
 * period is over by a clock that did not go backwards; no process has its VFIO group
 * open; no libvirt domain names it; mdevctl does not define it; all of that could be
 * looked up; the journal is complete; and the GPU is well. Entries whose device is gone
 * and not wanted are forgotten.
 */
#ifndef AGENT_PLAN_DEVICES_RELEASE_H
#define AGENT_PLAN_DEVICES_RELEASE_H

#include "agent/plan/world/world.h"

/* Adds the steps that note in the journal which device belongs to which consumer. */
void take_devices(struct world *world, struct group *group);
/* Adds the steps that release, remove and forget devices. Sets world->needs_use where
 * it must be known who uses the devices. */
void release_devices(struct world *world, struct group *group);

/* Whether a unit has been used up with the device of that entry (one_time_use): it stays
 * reserved when the entry goes. */
bool release_spends(const struct world *world, const struct group *group,
                    const struct journal_device *entry);

#endif
