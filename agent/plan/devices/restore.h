/*
 * restore: makes lost devices of one group again under their old uuids: after a reboot,
 * before Placement can be asked, from the journal alone; and in nova mode, where the
 * devices are Nova's. It restores devices that were not released and devices that a
 * libvirt domain names, since the domain's start would fail without them; in nova mode
 * only the latter.
 *
 * A domain's XML gives only the uuid. In nova mode a device that is not in the journal
 * is restored where the domain's allocation leaves no doubt which GPU it was on
 * (agent/plan/world/origin.h). It gets the type that is configured for that GPU, as
 * Nova itself assumes. Otherwise it is not restored, and reported as a problem.
 */
#ifndef AGENT_PLAN_DEVICES_RESTORE_H
#define AGENT_PLAN_DEVICES_RESTORE_H

#include "agent/plan/world/world.h"

/* Sets world->needs_use where it must be known who uses the devices. */
void restore_devices(struct world *world, struct group *group);
/* After all groups, in nova mode and where Placement was not read: reports the devices
 * that cannot be restored, because their GPU is not known. In owner mode Placement tells
 * what is to be made, whatever a domain names. */
void report_unknown_devices(struct world *world);

#endif
