/*
 * ownership: decides which consumer a device belongs to. A device that a libvirt domain
 * names, running or only defined, belongs to that domain (its uuid is the consumer's),
 * whatever the journal says. A device that a process has open and no domain names
 * belongs to the consumer in the journal. Nobody else ever gets it. A device that
 * nobody has can be given to another consumer; where it cannot be seen who has a
 * device, that is unknown, which is not the same as nobody. With plan_input.use NULL
 * everything is unknown, since nobody has looked yet.
 */
#ifndef AGENT_PLAN_WORLD_OWNERSHIP_H
#define AGENT_PLAN_WORLD_OWNERSHIP_H

#include "agent/plan/world/world.h"

enum possession {
    POSSESSED, /* the consumer's domain names it, or the journal notes it as the
                  consumer's and a process has it open */
    POSSESSED_BY_ANOTHER,
    POSSESSED_BY_NONE,
    POSSESSION_UNKNOWN, /* also where only mdevctl defines the device */
};

/* Whether the consumer has the device that `use` describes. `use` is NULL where nobody
 * was seen to have it; `entry` is the journal's, or NULL. */
enum possession possession_of(const struct world *world, const struct used_device *use,
                              const struct journal_device *entry, const char *consumer);

/* True when a domain other than the consumer's has the device; `use` may be NULL. */
bool use_is_anothers(const struct used_device *use, const char *consumer);

/* True when the device would pass to the want from another consumer, or may have been
 * another's. False where the device was made for the want's consumer, is noted as that
 * consumer's, or is in use by its guest. */
bool changes_hands(const struct world *world, const struct present *present,
                   const struct want *want);

/* Why an earlier attempt in this cycle to clear the device for another consumer failed.
 * NULL: no attempt has failed. */
const char *refusal_of(const struct world *world, const struct present *present);

/* True when the consumer is certainly a server and no migration: a domain has its uuid,
 * or its devices were asked for. */
bool is_server(const struct world *world, const char *consumer);

/* True when the consumer has an allocation on this GPU. */
bool is_consumer_here(const struct group *group, const char *consumer);

/* The devices of the group that meet no allocation and cannot be given to another
 * consumer, as a text: "; the guest of X still has the device Y without an allocation",
 * or "". The caller frees. */
char *ownership_of_rest(const struct world *world, const struct group *group);

#endif
