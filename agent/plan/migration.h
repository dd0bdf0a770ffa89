/*
 * migration: consumers that are no servers. When Nova migrates or resizes a server, one
 * request moves the allocation of the server I to the uuid of a migration, M; later M's
 * allocation is moved back (the migration is reverted) or deleted (it is confirmed).
 * Meanwhile I's domain still has its devices. So they stay I's, and stand for M's
 * allocation: M is met by them, gets none of its own, and is never given them. The
 * journal notes M with them.
 *
 * Placement does not say that a consumer is a migration, so it is recognised, and only
 * where it can be nobody else:
 *
 * - I's allocation on this GPU has gone since the last look, and M's has come: M never
 *   had a device here, and I's are not released;
 * - I's devices are of M's provider and class, and as many as M's units;
 * - of such allocations that came there are as many as of such that went;
 * - I still has each device that went, or nobody has any of them. Those that nobody has
 *   are not kept for I: they are free, and what was lost of them is made for M;
 * - no domain on this host has M's uuid, and nobody has asked for M's devices (`xml`,
 *   `qemu-args`): both show a server.
 *
 * In all other cases the one that came gets devices like everybody else, and what I
 * still has counts as taken, without an allocation, until I lets go of it. A server
 * that was taken for a migration (another one lost its allocation at the same moment,
 * and its guest runs on) gets devices of its own as soon as the last rule tells.
 */
#ifndef AGENT_PLAN_MIGRATION_H
#define AGENT_PLAN_MIGRATION_H

#include "agent/plan/world.h"

/* Those that the journal has, as far as all of that is still so. Sets world->needs_use
 * where it cannot be told without. After the journal's own matches. */
void migrations_keep(struct world *world, struct group *group);
/* New ones; none without plan_input.use. After all matches of what is the consumers'
 * own. */
void migrations_recognise(struct world *world, struct group *group);

#endif
