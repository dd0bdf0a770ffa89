#include "placement/server/candidates/match.h"

bool candidates_has_any_trait(const struct resource_provider *provider,
                              const struct trait_list *traits)
{
    for (size_t i = 0; i < traits->count; i++)
        if (provider_has_trait(provider, traits->items[i]))
            return true;
    return false;
}

bool candidates_in_any_aggregate(const struct resource_provider *provider,
                                 const struct aggregate_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        if (provider_in_aggregate(provider, list->items[i]))
            return true;
    return false;
}

static bool is_member(const struct resource_provider *provider,
                      const struct wanted *wanted)
{
    for (size_t i = 0; i < wanted->member_of_count; i++)
        if (!candidates_in_any_aggregate(provider, &wanted->member_of[i]))
            return false;
    return true;
}

bool candidates_has_member(const struct wanted *wanted, struct budget *budget)
{
    const struct aggregate_list *first = wanted->member_of;
    uint64_t cost = 1;
    for (size_t i = 0; i < wanted->member_of_count; i++)
        cost += wanted->member_of[i].count;
    for (size_t i = 0; i < first->count; i++) {
        const struct provider_list *providers = &first->items[i]->providers;
        for (size_t j = 0; j < providers->count && budget_spend(budget, cost); j++)
            if (is_member(providers->items[j], wanted))
                return true;
    }
    return false;
}

static bool has_amounts(const struct resource_provider *provider,
                        const struct slot *slot)
{
    for (size_t i = 0; i < slot->amount_count; i++) {
        const struct provider_inventory *inventory =
            provider_inventory_of(provider, slot->amounts[i].class);
        if (!inventory || !inventory_fits(inventory, slot->amounts[i].amount))
            return false;
    }
    return true;
}

/* A group that asks for no resources must ask for a trait or an aggregate: as upstream
 * has it, what is only forbidden selects nobody. Nor does in_tree bind such a group. */
static bool match_one_provider(const struct wanted *wanted,
                               const struct resource_provider *provider)
{
    if (wanted->amount_count == 0 && wanted->required_count == 0 &&
        wanted->member_of_count == 0)
        return false;
    if (wanted->tree && wanted->amount_count > 0 && provider->root != wanted->tree)
        return false;
    for (size_t i = 0; i < wanted->required_count; i++)
        if (!candidates_has_any_trait(provider, &wanted->required[i]))
            return false;
    return is_member(provider, wanted) &&
           !candidates_in_any_aggregate(provider, &wanted->not_member_of);
}

/* For the group without a suffix. With in_tree it takes nothing from sharing providers
 * outside that tree. */
static bool match_any_provider(const struct wanted *wanted,
                               const struct resource_provider *provider,
                               const struct resource_provider *anchor)
{
    bool own = provider->root == anchor;
    if (wanted->tree && (anchor != wanted->tree || !own))
        return false;
    if (!is_member(provider, wanted) && !(own && is_member(anchor, wanted)))
        return false;
    return !candidates_in_any_aggregate(provider, &wanted->not_member_of) &&
           !candidates_in_any_aggregate(anchor, &wanted->not_member_of);
}

bool candidates_match(const struct slot *slot, const struct resource_provider *provider,
                      const struct resource_provider *anchor)
{
    const struct wanted *wanted = slot->wanted;
    if (!has_amounts(provider, slot) ||
        candidates_has_any_trait(provider, &wanted->forbidden))
        return false;
    return wanted->one_provider ? match_one_provider(wanted, provider)
                                : match_any_provider(wanted, provider, anchor);
}
