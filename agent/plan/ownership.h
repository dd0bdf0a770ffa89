/*
 * ownership: whose a device is. One that a libvirt domain names, running or only
 * defined, is that domain's (its uuid is the consumer's), whatever the journal says; one
 * that a process has open and no domain names is whose the journal says. Nobody else
 * ever gets it. One that nobody has can be given on; where that cannot be seen, it is
 * unknown, which is not the same. With plan_input.use NULL nobody has looked yet:
 * everything is unknown then.
 */
#ifndef AGENT_PLAN_OWNERSHIP_H
#define AGENT_PLAN_OWNERSHIP_H

#include "agent/plan/world.h"

enum possession {
    POSSESSED, /* the consumer's domain names it, or it is the consumer's by the journal
                  and a process has it open */
    POSSESSED_BY_ANOTHER,
    POSSESSED_BY_NONE,
    POSSESSION_UNKNOWN, /* also where only mdevctl defines it */
};

/* The consumer's hold on the device that `use` is about; NULL: nobody was seen to have
 * it. `entry` is the journal's, or NULL. */
enum possession possession_of(const struct world *world, const struct used_device *use,
                              const struct journal_device *entry, const char *consumer);

/* A domain has it that is not the consumer's; `use` may be NULL. */
bool use_is_anothers(const struct used_device *use, const char *consumer);

/* The want would get what another consumer had, or may have had: not where the device
 * was made for it, is noted as its consumer's, or is in the hands of that one's guest. */
bool changes_hands(const struct world *world, const struct present *present,
                   const struct want *want);

/* Why the device, which was to change hands, could not be cleared before; NULL: nothing
 * is known against it. */
const char *refusal_of(const struct world *world, const struct present *present);

/* The consumer is a server for certain, and no migration: a domain has its uuid, or its
 * devices were asked for. */
bool is_server(const struct world *world, const char *consumer);

/* The consumer has an allocation on this GPU. */
bool is_consumer_here(const struct group *group, const char *consumer);

/* What exists of the group, meets no allocation, and cannot be given to another: "; the
 * guest of X still has the device Y without an allocation", or "". The caller frees. */
char *ownership_of_rest(const struct world *world, const struct group *group);

#endif
