/*
 * match: which device meets which allocation: fills in want->met, held->want and
 * lost->want of one group. In this order, each as far as units are missing:
 *
 * 1. The journal: devices that are the consumer's.
 * 2. Devices with the uuid that is computed for the consumer: ours, whatever became of
 *    the journal.
 * 3. Devices that the consumer's own libvirt domain names, those that are lost as well,
 *    even if the journal has them as another's: what a guest really has weighs more
 *    than what was meant.
 * 4. Lost devices that are the consumer's: to be made again under the same uuid, since
 *    a guest's configuration names it.
 * 5. Devices of consumers that are gone. During a migration or a resize the source's
 *    allocation is held by the migration's uuid, and the guest's domain still has the
 *    device. A device that nobody has is given on only if it is of the GPU's type.
 * 6. The lost devices of such.
 * 7. Devices of the GPU's type that nobody knows and nobody holds.
 *
 * What a guest, a process or mdevctl has is never given to another. Devices in
 * transition stay whose they are, and are given to nobody else.
 */
#ifndef AGENT_PLAN_MATCH_H
#define AGENT_PLAN_MATCH_H

#include "agent/plan/world.h"

/* Sets world->needs_use where it cannot be told without. */
void match_devices(struct world *world, struct group *group);

#endif
