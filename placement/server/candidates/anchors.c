#include "placement/server/candidates/anchors.h"

#include <stdlib.h>

#include "lib/lower_bound.h"
#include "lib/xalloc.h"
#include "placement/server/candidates/match.h"

/* ---- what a source holds ---- */

static size_t source_lists(const struct anchor_source *source)
{
    if (source->aggregates)
        return source->aggregates->count;
    return source->traits ? source->traits->count : 1;
}

/* The providers in list `i` of the source; NULL when the source is a list of
 * inventories. */
static const struct provider_list *source_list(const struct anchor_source *source,
                                               size_t i)
{
    if (source->aggregates)
        return &source->aggregates->items[i]->providers;
    return source->traits ? &source->traits->items[i]->providers : source->providers;
}

static size_t source_length(const struct anchor_source *source, size_t list)
{
    return source->inventories ? source->inventories->count
                               : source_list(source, list)->count;
}

static const struct resource_provider *source_item(const struct anchor_source *source,
                                                   size_t list, size_t item)
{
    return source->inventories ? source->inventories->items[item]->provider
                               : source_list(source, list)->items[item];
}

static bool list_holds(const struct anchor_source *source,
                       const struct resource_provider *provider)
{
    if (source->inventories) {
        const struct resource_class *class = source->inventories->items[0]->class;
        return provider_inventory_of(provider, class) != NULL;
    }
    for (size_t i = 0; i < source_lists(source); i++)
        if (provider_list_contains(source_list(source, i), provider))
            return true;
    return false;
}

/* ---- choosing the cheapest ---- */

static size_t members_of_all(const struct resource_provider *provider)
{
    size_t count = 0;
    for (size_t i = 0; i < provider->aggregate_count; i++)
        count += provider->aggregates[i]->providers.count;
    return count;
}

/* How many providers a walk along the source looks at. The sum ends as soon as it is
 * more than `enough`, since the source will not be chosen then. */
static size_t source_cost(const struct candidates_plan *plan,
                          const struct anchor_source *source, size_t enough)
{
    size_t cost = 0, lists = source_lists(source);
    for (size_t i = 0; i < lists; i++)
        cost += source_length(source, i);
    if (source->roots_only || cost == 0)
        return cost;
    const struct provider_list *sharing = &plan->graph->sharing->providers;
    for (size_t i = 0; i < sharing->count && cost < enough; i++) {
        const struct resource_provider *provider = sharing->items[i];
        if (!budget_spend(plan->budget, lists + provider->aggregate_count))
            return SIZE_MAX;
        if (list_holds(source, provider))
            cost += members_of_all(provider);
    }
    return cost;
}

static void take_cheaper(const struct candidates_plan *plan, struct anchor_source *best,
                         struct anchor_source other)
{
    other.cost = source_cost(plan, &other, best->cost);
    if (other.cost < best->cost)
        *best = other;
}

static void consider_group(const struct candidates_plan *plan,
                           const struct wanted *wanted, struct anchor_source *best)
{
    for (size_t i = 0; i < wanted->amount_count; i++)
        take_cheaper(plan, best,
                     (struct anchor_source){
                         .inventories = &wanted->amounts[i].class->inventories});
    for (size_t i = 0; i < wanted->required_count; i++)
        take_cheaper(plan, best,
                     (struct anchor_source){.traits = &wanted->required[i]});
    for (size_t i = 0; i < wanted->member_of_count; i++)
        take_cheaper(plan, best,
                     (struct anchor_source){.aggregates = &wanted->member_of[i]});
    if (wanted->tree && wanted->amount_count > 0)
        take_cheaper(plan, best,
                     (struct anchor_source){.providers = &wanted->tree->tree});
}

/* All roots are the last resort: most of them may have nothing of what is asked, and
 * it takes a look at all providers to find out. Of the lists of those that have some of
 * it, most items lead to a candidate at once. */
static struct anchor_source cheapest(const struct candidates_plan *plan)
{
    struct anchor_source best = {.providers = &plan->graph->roots, .roots_only = true};
    best.cost = plan->graph->providers.count;
    for (size_t i = 0; i < plan->root_required.count; i++) {
        const struct provider_list *providers =
            &plan->root_required.items[i]->providers;
        take_cheaper(
            plan, &best,
            (struct anchor_source){.providers = providers, .roots_only = true});
    }
    for (size_t i = 0; i < plan->wanted_count; i++)
        consider_group(plan, &plan->wanted[i], &best);
    return best;
}

/* ---- sharing providers ---- */

static int compare_shared(const void *a, const void *b)
{
    const struct shared *one = a, *other = b;
    return one->aggregate->id < other->aggregate->id
               ? -1
               : one->aggregate->id > other->aggregate->id;
}

/* Whether the provider could fill some slot in some tree. Whether it can do so in a
 * tree at hand is looked at later. */
static bool may_serve(const struct candidates_plan *plan,
                      const struct resource_provider *provider)
{
    for (size_t i = 0; i < plan->slot_count; i++) {
        const struct slot *slot = &plan->slots[i];
        if (slot->amount_count == 0)
            return true;
        const struct provider_inventory *inventory =
            provider_inventory_of(provider, slot->amounts[0].class);
        if (inventory && inventory_fits(inventory, slot->amounts[0].amount))
            return true;
    }
    return false;
}

static void index_shared(struct candidates_anchors *anchors)
{
    const struct candidates_plan *plan = anchors->plan;
    const struct provider_list *sharing = &plan->graph->sharing->providers;
    anchors->sharers = xcalloc(sharing->count, sizeof *anchors->sharers);
    for (size_t i = 0; i < sharing->count; i++) {
        const struct resource_provider *provider = sharing->items[i];
        if (!budget_spend(plan->budget, plan->slot_count + provider->aggregate_count))
            break;
        if (!may_serve(plan, provider))
            continue;
        anchors->sharers[i].provider = provider;
        for (size_t j = 0; j < provider->aggregate_count; j++)
            *array_add(anchors->shared, anchors->shared_count) = (struct shared){
                .aggregate = provider->aggregates[j], .sharer = &anchors->sharers[i]};
    }
    if (anchors->shared_count > 0)
        qsort(anchors->shared, anchors->shared_count, sizeof *anchors->shared,
              compare_shared);
}

/* The index of the first entry of that aggregate, or of the next one. */
static size_t find_shared(const struct candidates_anchors *anchors,
                          const struct aggregate *aggregate)
{
    return lower_bound(i, anchors->shared_count,
                       anchors->shared[i].aggregate->id < aggregate->id);
}

static int compare_providers(const void *a, const void *b)
{
    const struct resource_provider *one = *(const struct resource_provider *const *)a;
    const struct resource_provider *other = *(const struct resource_provider *const *)b;
    return one->id < other->id ? -1 : one->id > other->id;
}

/* Adds the sharing providers of the aggregate whose entries begin at `first`, unless
 * they were already found for this tree. */
static void add_sharers(struct candidates_anchors *anchors, size_t first,
                        const struct resource_provider *anchor,
                        const struct resource_provider ***providers, size_t *count)
{
    const struct aggregate *aggregate = anchors->shared[first].aggregate;
    for (size_t i = first;
         i < anchors->shared_count && anchors->shared[i].aggregate == aggregate; i++) {
        struct sharer *sharer = anchors->shared[i].sharer;
        budget_spend(anchors->plan->budget, 1);
        if (sharer->round == anchors->round)
            continue;
        sharer->round = anchors->round;
        if (sharer->provider->root != anchor)
            *array_add(*providers, *count) = sharer->provider;
    }
}

/* Adds the sharing providers that have an aggregate in common with `provider`. `done`
 * has the aggregates that were already looked at for this tree. */
static void add_shared_with(struct candidates_anchors *anchors,
                            const struct resource_provider *provider,
                            const struct resource_provider *anchor,
                            struct provider_set *done,
                            const struct resource_provider ***providers, size_t *count)
{
    for (size_t i = 0; i < provider->aggregate_count; i++) {
        const struct aggregate *aggregate = provider->aggregates[i];
        if (!provider_set_add(done, aggregate))
            continue;
        size_t first = find_shared(anchors, aggregate);
        if (first < anchors->shared_count &&
            anchors->shared[first].aggregate == aggregate)
            add_sharers(anchors, first, anchor, providers, count);
    }
}

bool candidates_shared_with(struct candidates_anchors *anchors,
                            const struct resource_provider *anchor,
                            const struct resource_provider ***providers, size_t *count)
{
    struct budget *budget = anchors->plan->budget;
    struct provider_set done = {0};
    if (anchors->shared_count == 0)
        return true;
    anchors->round++;
    for (size_t i = 0; i < anchor->tree.count; i++) {
        const struct resource_provider *provider = anchor->tree.items[i];
        if (!budget_spend(budget, 1 + provider->aggregate_count))
            break;
        add_shared_with(anchors, provider, anchor, &done, providers, count);
    }
    provider_set_clear(&done);
    if (*count > 1)
        qsort(*providers, *count, sizeof **providers, compare_providers);
    return budget->end == BUDGET_LEFT;
}

/* ---- the walk ---- */

void candidates_anchors_begin(const struct candidates_plan *plan,
                              struct candidates_anchors *out)
{
    *out = (struct candidates_anchors){.plan = plan, .source = cheapest(plan)};
    index_shared(out);
}

/* The next provider of the source; NULL at its end. */
static const struct resource_provider *next_provider(struct candidates_anchors *anchors)
{
    const struct anchor_source *source = &anchors->source;
    while (anchors->list < source_lists(source)) {
        if (anchors->item < source_length(source, anchors->list))
            return source_item(source, anchors->list, anchors->item++);
        anchors->list++;
        anchors->item = 0;
    }
    return NULL;
}

/* The root of the next provider that is a member of an aggregate of the sharing
 * provider at hand, leaving out the aggregates that the walk has already been through;
 * NULL at the end. */
static const struct resource_provider *
next_member_root(struct candidates_anchors *anchors)
{
    const struct resource_provider *provider = anchors->provider;
    while (provider && anchors->aggregate < provider->aggregate_count) {
        const struct aggregate *aggregate = provider->aggregates[anchors->aggregate];
        bool again =
            anchors->member == 0 && !provider_set_add(&anchors->walked, aggregate);
        if (!again && anchors->member < aggregate->providers.count)
            return aggregate->providers.items[anchors->member++]->root;
        anchors->aggregate++;
        anchors->member = 0;
    }
    anchors->provider = NULL;
    return NULL;
}

/* The next root along the source. A root may come more than once. */
static const struct resource_provider *next_root(struct candidates_anchors *anchors)
{
    const struct resource_provider *root = next_member_root(anchors);
    if (root)
        return root;
    const struct resource_provider *provider = next_provider(anchors);
    if (!provider)
        return NULL;
    if (!anchors->source.roots_only &&
        anchors->plan->graph->sharing->providers.count > 0 &&
        provider_has_trait(provider, anchors->plan->graph->sharing)) {
        anchors->provider = provider;
        anchors->aggregate = anchors->member = 0;
    }
    return provider->root;
}

const struct resource_provider *
candidates_anchors_next(struct candidates_anchors *anchors)
{
    const struct resource_provider *root;
    while (budget_spend(anchors->plan->budget, 1) && (root = next_root(anchors)))
        if (provider_set_add(&anchors->seen, root) &&
            candidates_plan_takes_root(anchors->plan, root))
            return root;
    return NULL;
}

void candidates_anchors_end(struct candidates_anchors *anchors)
{
    provider_set_clear(&anchors->seen);
    provider_set_clear(&anchors->walked);
    free(anchors->sharers);
    free(anchors->shared);
}
