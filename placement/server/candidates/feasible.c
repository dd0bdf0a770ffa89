#include "placement/server/candidates/feasible.h"

#include <stdlib.h>

#include "lib/cleanup.h"
#include "lib/xalloc.h"

/* ---- isolate: can each group have a provider of its own? Kuhn's algorithm ---- */

struct matching {
    const struct candidates_plan *plan;
    const struct choices *choices;
    /* the provider of each slot; NULL: none yet */
    const struct resource_provider **taken;
    struct provider_set tried;
};

static bool find_provider(struct matching *matching, size_t slot);

/* Frees `provider` from the slot that has it, if another provider can be found for
 * that. */
static bool can_have(struct matching *matching,
                     const struct resource_provider *provider)
{
    for (size_t i = 0; i < matching->plan->slot_count; i++)
        if (matching->taken[i] == provider)
            return find_provider(matching, i);
    return true;
}

static bool find_provider(struct matching *matching, size_t slot)
{
    const struct choices *choices = &matching->choices[slot];
    for (size_t i = 0; i < choices->count; i++) {
        const struct resource_provider *provider = choices->items[i].provider;
        if (!provider_set_add(&matching->tried, provider) ||
            !can_have(matching, provider))
            continue;
        matching->taken[slot] = provider;
        return true;
    }
    return false;
}

static bool can_isolate(const struct candidates_plan *plan,
                        const struct choices *choices)
{
    _cleanup_free_ const struct resource_provider **taken =
        xcalloc(plan->slot_count, sizeof *taken);
    bool all = true;
    for (size_t i = 0; all && i < plan->slot_count; i++) {
        if (!plan->slots[i].wanted->one_provider)
            continue;
        struct matching matching = {.plan = plan, .choices = choices, .taken = taken};
        all = find_provider(&matching, i);
        provider_set_clear(&matching.tried);
    }
    return all;
}

/* ---- is there enough of a class for all slots that ask for it? ---- */

static const struct wanted_amount *asked_of(const struct slot *slot,
                                            const struct resource_class *class)
{
    for (size_t i = 0; i < slot->amount_count; i++)
        if (slot->amounts[i].class == class)
            return &slot->amounts[i];
    return NULL;
}

static double room_left(const struct resource_provider *provider,
                        const struct resource_class *class)
{
    const struct provider_inventory *inventory = provider_inventory_of(provider, class);
    double left = inventory_capacity(&inventory->limits) - (double)inventory->used;
    return left < (double)inventory->limits.max_unit
               ? left
               : (double)inventory->limits.max_unit;
}

static bool enough_of(const struct candidates_plan *plan, const struct choices *choices,
                      const struct resource_class *class)
{
    struct provider_set counted = {0};
    double wanted = 0, left = 0;
    for (size_t i = 0; i < plan->slot_count; i++) {
        const struct wanted_amount *amount = asked_of(&plan->slots[i], class);
        if (!amount)
            continue;
        wanted += (double)amount->amount;
        for (size_t j = 0; j < choices[i].count; j++)
            if (provider_set_add(&counted, choices[i].items[j].provider))
                left += room_left(choices[i].items[j].provider, class);
    }
    provider_set_clear(&counted);
    return wanted <= left;
}

static bool asked_before(const struct candidates_plan *plan, size_t slot,
                         const struct resource_class *class)
{
    for (size_t i = 0; i < slot; i++)
        if (asked_of(&plan->slots[i], class))
            return true;
    return false;
}

static bool enough_of_all(const struct candidates_plan *plan,
                          const struct choices *choices)
{
    for (size_t i = 0; i < plan->slot_count; i++)
        for (size_t j = 0; j < plan->slots[i].amount_count; j++) {
            const struct wanted_amount *amount = &plan->slots[i].amounts[j];
            if (amount->repeated && !asked_before(plan, i, amount->class) &&
                !enough_of(plan, choices, amount->class))
                return false;
        }
    return true;
}

bool candidates_feasible(const struct candidates_plan *plan,
                         const struct choices *choices)
{
    return enough_of_all(plan, choices) &&
           (!plan->isolate || can_isolate(plan, choices));
}
