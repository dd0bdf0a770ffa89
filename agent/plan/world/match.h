/*
 * match: decides which device meets which allocation. Fills in want->met, present->want
 * and lost->want of one group.
 *
 * A device that a process has open or that any domain names, running or only defined,
 * belongs to that domain's uuid and is never handed to another consumer
 * (agent/plan/world/ownership.h). Devices are matched in this order, each as far as
 * units are missing:
 *
 * 1. The journal: devices that it notes as the consumer's.
 * 2. Devices that stand for a migration according to the journal: they stay the
 *    migrated server's (agent/plan/world/migration.h).
 * 3. Devices whose uuid is the one computed for the consumer: the agent made them,
 *    whatever became of the journal.
 * 4. Devices that the consumer's own libvirt domain names, lost ones as well, even if
 *    the journal has them as another consumer's: what a guest really has counts more
 *    than what was planned.
 * 5. Lost devices that are the consumer's: they are made again under the same uuid,
 *    since a guest's configuration names it.
 *    So are devices that nothing notes any more, where the consumer's domain names them
 *    and they were here (agent/plan/world/origin.h): a state file that was lost, and a reboot.
 * 6. New migrations, where nothing else is possible.
 * 7. Devices of the GPU's type that belong to nobody: first those of consumers that are
 *    gone, then those that the journal does not have.
 *
 * A consumer that still lacks devices gets new ones while they can be made
 * (agent/plan/devices/create.h); where they cannot, its status says why. A device that a
 * guest has without an allocation is left alone, and counts as taken from the moment
 * that the allocation is gone.
 *
 * For Nova's sequences this means: a guest that is migrated or resized to another host
 * keeps its device, which stands for the migration's allocation until the migration is
 * confirmed (the allocation is deleted; the device is released, and removed when the
 * guest no longer has it) or reverted (the server has its allocation and its device
 * again). In a resize on the same host, the server's new allocation has the device that
 * the guest has, and the migration's allocation gets another one. After an evacuation,
 * an unshelving or a failed spawn the consumer is new or gone, and nothing is renamed.
 * A guest whose server was deleted while it keeps running keeps its device without an
 * allocation; no new consumer gets that device, not even after a reboot.
 *
 * A device in transition keeps its consumer and is given to nobody else.
 */
#ifndef AGENT_PLAN_WORLD_MATCH_H
#define AGENT_PLAN_WORLD_MATCH_H

#include "agent/plan/world/world.h"

/* Sets world->needs_use where it must be known who uses the devices. */
void match_devices(struct world *world, struct group *group);

#endif
