/*
 * inventory: decides which inventories a provider is to have.
 *
 * total: what the host has room for (agent/plan/devices/room.h), at most max_instances.
 * It is never less than what is allocated (where an operator has set an
 * allocation_ratio above 1: divided by that ratio). A total of 0 means no inventory,
 * since Placement does not accept a total of 0. One thing cannot be known of the room:
 * the type of a foreign device in transition. If it is another type, the kernel still
 * offers the configured one until the device exists. Until then the agent reports no
 * more than before.
 *
 * Where service_is_held_back() says so, reserved is set to the total: for GPUs that are
 * sick, drained or retired, and for those that still have devices of their former type.
 * For a drained GPU it is what is not allocated if [agent] drain_reserve says so. A
 * sick or retired GPU keeps the total that it had. A class that is no longer the
 * configured one shrinks to what is allocated. Where an operator has set reserved and
 * allocation_ratio, these values stay, and are put back after the agent has overruled
 * them. So does an operator's max_unit, unless the files have one. Classes that are
 * not the agent's stay as they are.
 */
#ifndef AGENT_PLAN_PROVIDERS_INVENTORY_H
#define AGENT_PLAN_PROVIDERS_INVENTORY_H

#include "agent/plan/providers/service.h"

struct inventory_decision {
    struct class_inventory *all; /* all inventories of the provider, by class */
    size_t count;
    bool changed;                     /* differs from what the provider has */
    bool less;                        /* less can be allocated than before */
    struct service_inventory offered; /* the configured class */
};

/* Adds to `found` the agent's inventories that the provider has now. It is meant for a
 * provider that the journal does not have. */
void inventory_found(const struct world *world, const struct managed *managed,
                     struct journal_provider *found);
/* Decides the inventories, and adds what the journal is to say of them to
 * entry->inventories. The caller frees the result's `all` with
 * class_inventories_free(). */
struct inventory_decision inventory_decide(const struct world *world,
                                           const struct managed *managed,
                                           struct journal_provider *entry);

#endif
