/*
 * match: which device meets which allocation: fills in want->met, held->want and
 * lost->want of one group.
 *
 * The rule: a device that a process holds or any domain names, running or only defined,
 * belongs to that domain's uuid and is never handed to another consumer
 * (agent/plan/ownership.h). Then, in this order, each as far as units are missing:
 *
 * 1. The journal: devices that are the consumer's.
 * 2. Devices that stand for a migration, as the journal has it: they stay the migrated
 *    server's (agent/plan/migration.h).
 * 3. Devices with the uuid that is computed for the consumer: ours, whatever became of
 *    the journal.
 * 4. Devices that the consumer's own libvirt domain names, those that are lost as well,
 *    even if the journal has them as another's: what a guest really has weighs more
 *    than what was meant.
 * 5. Lost devices that are the consumer's: to be made again under the same uuid, since
 *    a guest's configuration names it.
 * 6. New migrations, where they can be nothing else.
 * 7. Devices of the GPU's type that nobody has: those of consumers that are gone, then
 *    those that nobody knows.
 *
 * Whoever is left gets a new device while one can be made (agent/plan/create.h), and is
 * told why where none can. What a guest has without an allocation is left alone, and
 * counts as taken from the moment that the allocation is gone.
 *
 * So, in the sequences of Nova's: a guest that is migrated or resized away keeps its
 * device, which stands for the migration's allocation until that is confirmed (deleted:
 * the device is released, and removed when the guest has let go of it) or reverted (the
 * server has its allocation and its device again). A resize on the same host: the
 * server's new allocation has the device that the guest has, and the migration's gets
 * another. After an evacuation, an unshelving or a failed spawn the consumer is new or
 * gone, and nothing is renamed. A guest whose server was deleted behind its back keeps
 * the device, without an allocation, and no newcomer gets it; after a reboot neither.
 *
 * Devices in transition stay whose they are, and are given to nobody else.
 */
#ifndef AGENT_PLAN_MATCH_H
#define AGENT_PLAN_MATCH_H

#include "agent/plan/world.h"

/* Sets world->needs_use where it cannot be told without. */
void match_devices(struct world *world, struct group *group);

#endif
