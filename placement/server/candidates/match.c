#include "placement/server/candidates/match.h"

bool node_has_any_trait(const struct node *node, const struct trait_list *traits)
{
    for (size_t i = 0; i < traits->count; i++)
        if (node_has_trait(node, traits->items[i]))
            return true;
    return false;
}

bool node_in_any_aggregate(const struct node *node, const struct aggregate_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        if (node_in_aggregate(node, list->items[i]))
            return true;
    return false;
}

static bool is_member(const struct node *node, const struct wanted *wanted)
{
    for (size_t i = 0; i < wanted->member_of_count; i++)
        if (!node_in_any_aggregate(node, &wanted->member_of[i]))
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
        const struct node_list *nodes = &first->items[i]->nodes;
        for (size_t j = 0; j < nodes->count && budget_spend(budget, cost); j++)
            if (is_member(nodes->items[j], wanted))
                return true;
    }
    return false;
}

static bool has_amounts(const struct node *node, const struct slot *slot)
{
    for (size_t i = 0; i < slot->amount_count; i++) {
        const struct stock *stock = node_stock(node, slot->amounts[i].class);
        if (!stock || !stock_fits(stock, slot->amounts[i].amount))
            return false;
    }
    return true;
}

/* A group that asks for no resources must ask for a trait or an aggregate: as upstream
 * has it, what is only forbidden selects nobody. Nor does in_tree bind such a group. */
static bool match_one_provider(const struct wanted *wanted, const struct node *node)
{
    if (wanted->amount_count == 0 && wanted->required_count == 0 &&
        wanted->member_of_count == 0)
        return false;
    if (wanted->tree && wanted->amount_count > 0 && node->root != wanted->tree)
        return false;
    for (size_t i = 0; i < wanted->required_count; i++)
        if (!node_has_any_trait(node, &wanted->required[i]))
            return false;
    return is_member(node, wanted) &&
           !node_in_any_aggregate(node, &wanted->not_member_of);
}

/* With in_tree nothing is taken from sharing providers outside. */
static bool match_any_provider(const struct wanted *wanted, const struct node *node,
                               const struct node *anchor)
{
    bool own = node->root == anchor;
    if (wanted->tree && (anchor != wanted->tree || !own))
        return false;
    if (!is_member(node, wanted) && !(own && is_member(anchor, wanted)))
        return false;
    return !node_in_any_aggregate(node, &wanted->not_member_of) &&
           !node_in_any_aggregate(anchor, &wanted->not_member_of);
}

bool candidates_match(const struct slot *slot, const struct node *node,
                      const struct node *anchor)
{
    const struct wanted *wanted = slot->wanted;
    if (!has_amounts(node, slot) || node_has_any_trait(node, &wanted->forbidden))
        return false;
    return wanted->one_provider ? match_one_provider(wanted, node)
                                : match_any_provider(wanted, node, anchor);
}
