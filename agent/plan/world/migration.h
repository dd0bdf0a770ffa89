/*
 * migration: consumers that are migrations and not servers. When Nova migrates or
 * resizes a server, one request moves the allocation of the server I to the uuid of a
 * migration, M. Later M's allocation is moved back (the migration is reverted) or
 * deleted (it is confirmed). Meanwhile I's domain still has its devices. So the devices
 * stay I's, and stand for M's allocation: they meet it, and M never gets devices of its
 * own and is never given these. The journal notes M with them.
 *
 * Placement does not say that a consumer is a migration. So the agent recognises one
 * only where no other explanation is possible:
 *
 * - I's allocation on this GPU has gone since the last look and M's has come: M never
 *   had a device here, and I's devices are not released;
 * - I's devices are of M's provider and class, and as many as M's units;
 * - as many such allocations have come as have gone;
 * - I's domain still has each device of the allocation that went, or nobody has any of
 *   them. Devices that nobody has are not kept for I: existing ones are free, and lost
 *   ones are made again for M;
 * - no domain on this host has M's uuid, and nobody has asked for M's devices (`xml`,
 *   `qemu-args`): either would show that M is a server.
 *
 * In all other cases the consumer that came gets devices like any other, and what I
 * still has counts as taken, without an allocation, until I no longer has it. A server
 * can be mistaken for a migration, when another server lost its allocation at the same
 * moment and its guest runs on. It gets devices of its own as soon as the last rule
 * shows that it is a server.
 */
#ifndef AGENT_PLAN_WORLD_MIGRATION_H
#define AGENT_PLAN_WORLD_MIGRATION_H

#include "agent/plan/world/world.h"

/* Keeps the migrations that the journal has noted, as far as their conditions still
 * hold. To be called after the matches by the journal. Sets world->needs_use where it
 * must be known who uses the devices. */
void migrations_keep(struct world *world, struct group *group);
/* Recognises new migrations; finds none without plan_input.use. To be called after all
 * matches that give consumers devices of their own. */
void migrations_recognise(struct world *world, struct group *group);

#endif
