#include "placement/server/candidates/search.h"

#include <stdlib.h>
#include <string.h>

#include "lib/xalloc.h"
#include "placement/server/candidates/feasible.h"
#include "placement/server/candidates/match.h"

#define MASKED_SETS 64

/* Steps that one check of the sets of traits that the mask has no bit for takes, with
 * all slots filled. */
static uint64_t unmasked_cost(const struct candidates_plan *plan)
{
    uint64_t cost = 0;
    for (size_t i = 0; i < plan->wanted_count; i++)
        if (!plan->wanted[i].one_provider &&
            plan->wanted[i].required_count > MASKED_SETS)
            cost += plan->wanted[i].cost * plan->wanted[i].amount_count;
    return cost;
}

/* Steps that one try of a provider for a slot takes at most: the slots before it are
 * compared, and the amounts of classes that several slots ask for are added up. */
static uint64_t try_cost(const struct candidates_plan *plan)
{
    uint64_t repeated = 0, amounts = 0;
    for (size_t i = 0; i < plan->slot_count; i++) {
        const struct slot *slot = &plan->slots[i];
        uint64_t of_slot = 0;
        for (size_t j = 0; j < slot->amount_count; j++)
            of_slot += slot->amounts[j].repeated;
        repeated = of_slot > repeated ? of_slot : repeated;
        amounts += slot->amount_count;
    }
    return plan->slot_count + plan->same_subtree_count + repeated * amounts;
}

void candidates_search_init(struct candidates_search *search,
                            const struct candidates_plan *plan,
                            struct candidates_anchors *anchors)
{
    size_t slots = plan->slot_count;
    *search = (struct candidates_search){
        .plan = plan,
        .anchors = anchors,
        .choices = xcalloc(slots, sizeof *search->choices),
        .traits_from = xcalloc(slots + 1, sizeof *search->traits_from),
        .traits_until = xcalloc(slots, sizeof *search->traits_until),
        .groups_from = xcalloc(slots + 1, sizeof *search->groups_from),
        .common = xcalloc(slots * plan->same_subtree_count, sizeof *search->common),
        .at = xcalloc(slots, sizeof *search->at),
        .providers = xcalloc(slots, sizeof *search->providers),
        .try_cost = try_cost(plan),
        .unmasked_cost = unmasked_cost(plan),
    };
    for (size_t i = slots; i-- > 0;)
        search->groups_from[i] = search->groups_from[i + 1] | plan->slots[i].group;
    for (size_t i = 0; i < plan->wanted_count; i++) {
        size_t sets = plan->wanted[i].required_count;
        if (plan->wanted[i].one_provider || sets == 0)
            continue;
        search->traits_wanted = UINT64_MAX;
        if (sets < MASKED_SETS)
            search->traits_wanted >>= MASKED_SETS - sets;
    }
}

void candidates_search_clear(struct candidates_search *search)
{
    for (size_t i = 0; i < search->plan->slot_count; i++)
        free(search->choices[i].items);
    free(search->choices);
    free(search->traits_from);
    free(search->traits_until);
    free(search->groups_from);
    free(search->common);
    free(search->offers);
    free(search->at);
    free(search->providers);
    free(search->shared);
}

/* False when the budget of the request is spent. */
static bool spend(struct candidates_search *search, uint64_t steps)
{
    return budget_spend(search->plan->budget, steps);
}

/* ---- what may fill each slot at this anchor ---- */

static uint64_t traits_met(const struct wanted *wanted,
                           const struct resource_provider *provider)
{
    uint64_t met = 0;
    if (wanted->one_provider)
        return 0;
    for (size_t i = 0; i < wanted->required_count && i < MASKED_SETS; i++)
        if (candidates_has_any_trait(provider, &wanted->required[i]))
            met |= UINT64_C(1) << i;
    return met;
}

static void add_choice(struct choices *choices, const struct slot *slot,
                       const struct resource_provider *provider)
{
    if (choices->count == choices->room) {
        choices->room = choices->room ? 2 * choices->room : 8;
        choices->items =
            xreallocarray(choices->items, choices->room, sizeof *choices->items);
    }
    choices->items[choices->count++] = (struct choice){
        .provider = provider, .traits = traits_met(slot->wanted, provider)};
}

/* ---- the order of the choices ---- */

static double share_in_use(const struct slot *slot,
                           const struct resource_provider *provider)
{
    if (slot->amount_count == 0) /* a group that asks for traits alone */
        return 0;
    const struct provider_inventory *inventory =
        provider_inventory_of(provider, slot->amounts[0].class);
    return (double)inventory->used / inventory_capacity(&inventory->limits);
}

static int by_share(const void *a, const void *b)
{
    const struct choice *one = a, *other = b;
    if (one->share != other->share)
        return one->share < other->share ? -1 : 1;
    return one->provider->id < other->provider->id ? -1 : 1;
}

static int by_share_downward(const void *a, const void *b)
{
    const struct choice *one = a, *other = b;
    if (one->share != other->share)
        return one->share > other->share ? -1 : 1;
    return one->provider->id < other->provider->id ? -1 : 1;
}

/* The same at each visit of the anchor, to which a breadth-first walk comes back. */
static void order_choices(const struct candidates_search *search, size_t i)
{
    struct choices *choices = &search->choices[i];
    enum allocation_order order = search->plan->order;
    if (order == ORDER_UPSTREAM || choices->count < 2)
        return;
    for (size_t j = 0; j < choices->count; j++)
        choices->items[j].share =
            share_in_use(&search->plan->slots[i], choices->items[j].provider);
    qsort(choices->items, choices->count, sizeof *choices->items,
          order == ORDER_BREADTH_FIRST ? by_share : by_share_downward);
}

/* ---- the choices of a slot ---- */

static bool fill_choices(struct candidates_search *search, size_t i)
{
    const struct slot *slot = &search->plan->slots[i];
    const struct resource_provider *anchor = search->anchor;
    struct choices *choices = &search->choices[i];
    uint64_t cost = slot->wanted->cost;
    choices->count = 0;
    for (size_t j = 0; j < anchor->tree.count && spend(search, cost); j++)
        if (candidates_match(slot, anchor->tree.items[j], anchor))
            add_choice(choices, slot, anchor->tree.items[j]);
    for (size_t j = 0; j < search->shared_count && spend(search, cost); j++)
        if (candidates_match(slot, search->shared[j], anchor))
            add_choice(choices, slot, search->shared[j]);
    order_choices(search, i);
    return choices->count > 0;
}

/* Adds up, from the last slot to the first, the traits that slots can bring. False when
 * all slots together cannot bring all wanted traits. */
static bool sum_up_traits(struct candidates_search *search)
{
    search->traits_from[search->plan->slot_count] = 0;
    for (size_t i = search->plan->slot_count; i-- > 0;) {
        uint64_t met = search->traits_from[i + 1];
        for (size_t j = 0; j < search->choices[i].count; j++)
            met |= search->choices[i].items[j].traits;
        search->traits_from[i] = met;
    }
    return search->traits_from[0] == search->traits_wanted;
}

bool candidates_search_begin(struct candidates_search *search,
                             const struct resource_provider *anchor)
{
    search->anchor = anchor;
    search->started = false;
    search->shared_count = 0;
    free(search->shared);
    search->shared = NULL;
    size_t slots = search->plan->slot_count, choices = 0;
    if (!candidates_shared_with(search->anchors, anchor, &search->shared,
                                &search->shared_count))
        return false;
    for (size_t i = 0; i < slots; i++) {
        if (!fill_choices(search, i))
            return false;
        choices += search->choices[i].count;
    }
    if (!sum_up_traits(search) || !spend(search, search->try_cost * choices) ||
        !candidates_feasible(search->plan, search->choices))
        return false;
    candidates_subtree_begin(search);
    return true;
}

/* ---- does the last one filled go with those before it? ---- */

static bool differs_from_others(const struct candidates_search *search, size_t depth)
{
    const struct slot *slots = search->plan->slots;
    if (!search->plan->isolate || !slots[depth].wanted->one_provider)
        return true;
    for (size_t i = 0; i < depth; i++)
        if (slots[i].wanted->one_provider &&
            search->providers[i] == search->providers[depth])
            return false;
    return true;
}

static bool alone_in_tree(const struct candidates_search *search, size_t depth)
{
    const struct resource_provider *provider = search->providers[depth];
    for (size_t i = 0; search->plan->one_per_tree && i < depth; i++)
        if (search->providers[i] != provider &&
            search->providers[i]->root == provider->root)
            return false;
    return true;
}

/* The amount of the class that the slot asks for; 0 when it asks for none. */
static int64_t slot_amount(const struct slot *slot, const struct resource_class *class)
{
    for (size_t i = 0; i < slot->amount_count; i++)
        if (slot->amounts[i].class == class)
            return slot->amounts[i].amount;
    return 0;
}

/* As upstream, the sum is held against capacity and max_unit, not the other limits.
 * Each amount alone fits, so their sum cannot overflow: both are at most 2^31. */
static bool sums_fit(const struct candidates_search *search, size_t depth)
{
    const struct slot *slot = &search->plan->slots[depth];
    for (size_t i = 0; i < slot->amount_count; i++) {
        if (!slot->amounts[i].repeated)
            continue;
        const struct resource_class *class = slot->amounts[i].class;
        int64_t sum = slot->amounts[i].amount;
        for (size_t j = 0; j < depth; j++)
            if (search->providers[j] == search->providers[depth])
                sum += slot_amount(&search->plan->slots[j], class);
        const struct provider_inventory *inventory =
            provider_inventory_of(search->providers[depth], class);
        if (sum > inventory->limits.max_unit ||
            (double)(inventory->used + sum) > inventory_capacity(&inventory->limits))
            return false;
    }
    return true;
}

/* Checks the sets of traits that the mask has no bit for. All slots are filled. */
static bool unmasked_traits_met(const struct candidates_search *search)
{
    const struct candidates_plan *plan = search->plan;
    const struct wanted *wanted = NULL;
    for (size_t i = 0; i < plan->wanted_count; i++)
        if (!plan->wanted[i].one_provider)
            wanted = &plan->wanted[i];
    for (size_t i = MASKED_SETS; wanted && i < wanted->required_count; i++) {
        bool met = false;
        for (size_t j = 0; j < plan->slot_count && !met; j++)
            met = plan->slots[j].wanted == wanted &&
                  candidates_has_any_trait(search->providers[j], &wanted->required[i]);
        if (!met)
            return false;
    }
    return true;
}

static bool traits_hold(struct candidates_search *search, size_t depth)
{
    const struct choice *choice = &search->choices[depth].items[search->at[depth]];
    uint64_t before = depth > 0 ? search->traits_until[depth - 1] : 0;
    search->traits_until[depth] = before | choice->traits;
    if ((search->traits_until[depth] | search->traits_from[depth + 1]) !=
        search->traits_wanted)
        return false;
    if (depth + 1 < search->plan->slot_count || search->unmasked_cost == 0)
        return true;
    return spend(search, search->unmasked_cost) && unmasked_traits_met(search);
}

static bool try_choice(struct candidates_search *search, size_t depth)
{
    search->providers[depth] = search->choices[depth].items[search->at[depth]].provider;
    return traits_hold(search, depth) && differs_from_others(search, depth) &&
           alone_in_tree(search, depth) && sums_fit(search, depth) &&
           candidates_subtree_fill(search, depth);
}

/* ---- the walk ---- */

void candidates_search_resume(struct candidates_search *search, const uint32_t *at)
{
    memcpy(search->at, at, search->plan->slot_count * sizeof *at);
    search->started = true;
    for (size_t i = 0; i < search->plan->slot_count; i++) {
        const struct choice *choice = &search->choices[i].items[at[i]];
        search->providers[i] = choice->provider;
        search->traits_until[i] =
            choice->traits | (i > 0 ? search->traits_until[i - 1] : 0);
        candidates_subtree_fill(search, i);
    }
}

bool candidates_search_next(struct candidates_search *search)
{
    size_t last = search->plan->slot_count - 1;
    size_t depth = search->started ? last : 0;
    if (search->started)
        search->at[depth]++;
    else
        search->at[depth] = 0;
    search->started = true;
    for (;;) {
        if (search->at[depth] == search->choices[depth].count) {
            if (depth == 0)
                return false;
            search->at[--depth]++;
            continue;
        }
        if (!spend(search, search->try_cost))
            return false;
        if (!try_choice(search, depth))
            search->at[depth]++;
        else if (depth == last)
            return true;
        else
            search->at[++depth] = 0;
    }
}
