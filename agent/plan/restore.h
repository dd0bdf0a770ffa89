/*
 * restore: puts lost devices of one group back under their old uuids: after a
 * reboot, before Placement can be asked, from the journal alone; and in nova mode,
 * where the devices are Nova's. Put back is what was not released and what a libvirt
 * domain names, since the domain's start would fail without it; in nova mode, only
 * the latter.
 *
 * A domain's XML says nothing but the uuid. In nova mode one that is not in the journal
 * is put back where the domain's allocation leaves no doubt of which GPU it was
 * (agent/plan/origin.h): then it was of the type that is configured for it, as Nova
 * itself assumes. Else it is left, and said.
 */
#ifndef AGENT_PLAN_RESTORE_H
#define AGENT_PLAN_RESTORE_H

#include "agent/plan/world.h"

/* Sets world->needs_use where it cannot be told without. */
void restore_devices(struct world *world, struct group *group);
/* Nova mode, after all groups: says which devices cannot be put back, since nobody
 * knows where they were. */
void report_unknown_devices(struct world *world);

#endif
