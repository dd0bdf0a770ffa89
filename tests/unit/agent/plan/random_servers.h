/*
 * random_servers: events for random_events: what Nova does to servers and their guests.
 */
#ifndef TESTS_UNIT_AGENT_PLAN_RANDOM_SERVERS_H
#define TESTS_UNIT_AGENT_PLAN_RANDOM_SERVERS_H

#include "tests/unit/agent/plan/random_world.h"

/* A new server, where the inventory has room. */
void chance_spawn(struct chance *c);
/* A server is deleted; its guest may run on. */
void chance_delete(struct chance *c);
/* A migration begins or is reverted: all allocations of a consumer move to another
 * one. */
void chance_rename(struct chance *c);
/* A server with a device is migrated, and another one comes to the same GPU at once. */
void chance_migrate_beside_spawn(struct chance *c);
/* The guest is shut off, and the server also gets an allocation for its new flavor. */
void chance_resize_here(struct chance *c);
/* A server is deleted and its guest runs on; sometimes a new server comes at once. */
void chance_orphan(struct chance *c);
/* The host reboots: devices are gone, domains stay defined. */
void chance_reboot(struct chance *c);
/* Some domain names a device, present or lost, whichever consumer it belongs to. */
void chance_name_another(struct chance *c);
/* A domain is defined that has no device yet. */
void chance_define_bare(struct chance *c);
/* Somebody asks for a server's devices. */
void chance_ask(struct chance *c);

#endif
