/*
 * plan_restore: puts lost devices of one group back under their old uuids, from the
 * journal alone: after a reboot, before Placement can be asked, and in nova mode, where
 * the devices are Nova's. Put back is what was not released; in nova mode, what a
 * libvirt domain names, since the domain's start would fail without it.
 */
#ifndef AGENT_PLAN_RESTORE_H
#define AGENT_PLAN_RESTORE_H

#include "agent/plan_world.h"

/* Sets world->needs_use where it cannot be told without. */
void restore_devices(struct world *world, struct group *group);

#endif
