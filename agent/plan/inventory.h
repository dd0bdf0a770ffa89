/*
 * inventory: which inventory a provider is to have.
 *
 * total: devices of the configured type that exist and that can still be made, at most
 * max_instances, less those that somebody has outside of any allocation and less what
 * other providers of the same card (retired ones) have allocated, plus devices of
 * another type that still meet an allocation; never less than what is allocated (by an
 * operator's allocation_ratio above 1). 0 means no inventory: Placement takes no total
 * of 0.
 *
 * It is never more than the host can give, at no moment. What cannot be told counts
 * for nothing: a device in transition takes the room that it may not have been counted
 * in yet, and what is to be made again of another type takes all of it. One thing
 * nobody can know: of which type a foreign device in transition is; where it is of
 * another one, the configured type is still offered until it stands. Then no more is
 * reported than before.
 *
 * Held back, with reserved = total (a drained one: or what is not allocated, as
 * [agent] drain_reserve says), is what service_is_held_back() names: GPUs that are
 * sick, drained or retired, and those that devices of their former type are still on; a
 * sick or retired one keeps the total that it had. A class that is no longer the configured
 * one shrinks to what is allocated. An operator's own reserved and allocation_ratio
 * stay, and come back after the agent has overruled them; his max_unit stays as long as
 * there is an inventory. Foreign classes stay.
 */
#ifndef AGENT_PLAN_INVENTORY_H
#define AGENT_PLAN_INVENTORY_H

#include "agent/plan/service.h"
#include "agent/plan/world.h"

struct inventory_decision {
    struct class_inventory *all; /* the whole set, by class */
    size_t count;
    bool changed;                     /* it is not what the provider has */
    bool less;                        /* less of it can be allocated than before */
    struct service_inventory offered; /* of the configured class */
};

/* What of ours a provider has now that is not in the journal. */
void inventory_found(const struct world *world, const struct managed *managed,
                     struct journal_provider *found);
/* Adds what the journal is to say to entry->inventories. */
struct inventory_decision inventory_decide(const struct world *world,
                                           const struct managed *managed,
                                           struct journal_provider *entry);

#endif
