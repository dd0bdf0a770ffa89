/*
 * random_servers: what becomes of servers in a random_world, as Nova does it, and of
 * their guests: events for random_events.
 */
#ifndef TESTS_UNIT_AGENT_PLAN_RANDOM_SERVERS_H
#define TESTS_UNIT_AGENT_PLAN_RANDOM_SERVERS_H

#include "tests/unit/agent/plan/random_world.h"

/* A server more, where there is room by the inventory. */
void chance_spawn(struct chance *c);
/* A server is deleted, whatever becomes of its guest. */
void chance_delete(struct chance *c);
/* A migration begins, or is reverted: all allocations of a consumer are another's. */
void chance_rename(struct chance *c);
/* A server with a device is migrated, and another one comes to the same GPU at once. */
void chance_migrate_beside_spawn(struct chance *c);
/* The guest is shut off, and the server also has an allocation for its new flavor. */
void chance_resize_here(struct chance *c);
/* The server is gone, and its guest runs on; sometimes another one comes at once. */
void chance_orphan(struct chance *c);
/* Devices are gone, domains stay defined. */
void chance_reboot(struct chance *c);
/* Some domain names a device, there or lost, whoever it is of. */
void chance_name_another(struct chance *c);
/* A domain that has no device, yet. */
void chance_define_bare(struct chance *c);
/* Somebody asks for a server's devices. */
void chance_ask(struct chance *c);

#endif
