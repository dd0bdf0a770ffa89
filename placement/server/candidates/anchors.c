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

/* The providers of one of its lists; NULL for that of the stocks. */
static const struct node_list *source_list(const struct anchor_source *source, size_t i)
{
    if (source->aggregates)
        return &source->aggregates->items[i]->nodes;
    return source->traits ? &source->traits->items[i]->nodes : source->nodes;
}

static size_t source_length(const struct anchor_source *source, size_t list)
{
    return source->stocks ? source->stocks->count : source_list(source, list)->count;
}

static const struct node *source_item(const struct anchor_source *source, size_t list,
                                      size_t item)
{
    return source->stocks ? source->stocks->items[item]->node
                          : source_list(source, list)->items[item];
}

static bool list_holds(const struct anchor_source *source, const struct node *node)
{
    if (source->stocks) {
        const struct resource_class *class = source->stocks->items[0]->class;
        return node_stock(node, class) != NULL;
    }
    for (size_t i = 0; i < source_lists(source); i++)
        if (node_list_contains(source_list(source, i), node))
            return true;
    return false;
}

/* ---- choosing the cheapest ---- */

static size_t members_of_all(const struct node *node)
{
    size_t count = 0;
    for (size_t i = 0; i < node->aggregate_count; i++)
        count += node->aggregates[i]->nodes.count;
    return count;
}

/* Once it is more than `enough` it is not added up any further. */
static size_t source_cost(const struct candidates_plan *plan,
                          const struct anchor_source *source, size_t enough)
{
    size_t cost = 0, lists = source_lists(source);
    for (size_t i = 0; i < lists; i++)
        cost += source_length(source, i);
    if (source->roots_only || cost == 0)
        return cost;
    const struct node_list *sharing = &plan->graph->sharing->nodes;
    for (size_t i = 0; i < sharing->count && cost < enough; i++) {
        const struct node *node = sharing->items[i];
        if (!budget_spend(plan->budget, lists + node->aggregate_count))
            return SIZE_MAX;
        if (list_holds(source, node))
            cost += members_of_all(node);
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
        take_cheaper(
            plan, best,
            (struct anchor_source){.stocks = &wanted->amounts[i].class->stocks});
    for (size_t i = 0; i < wanted->required_count; i++)
        take_cheaper(plan, best,
                     (struct anchor_source){.traits = &wanted->required[i]});
    for (size_t i = 0; i < wanted->member_of_count; i++)
        take_cheaper(plan, best,
                     (struct anchor_source){.aggregates = &wanted->member_of[i]});
    if (wanted->tree && wanted->amount_count > 0)
        take_cheaper(plan, best, (struct anchor_source){.nodes = &wanted->tree->tree});
}

/* All roots are the last resort: most of them may have nothing of what is asked, and
 * it takes a look at all providers to find out. Of the lists of those that have some of
 * it, most items lead to a candidate at once. */
static struct anchor_source cheapest(const struct candidates_plan *plan)
{
    struct anchor_source best = {.nodes = &plan->graph->roots, .roots_only = true};
    best.cost = plan->graph->nodes.count;
    for (size_t i = 0; i < plan->root_required.count; i++) {
        const struct node_list *nodes = &plan->root_required.items[i]->nodes;
        take_cheaper(plan, &best,
                     (struct anchor_source){.nodes = nodes, .roots_only = true});
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

/* For some slot, in some tree: whose, is looked at later. */
static bool may_serve(const struct candidates_plan *plan, const struct node *node)
{
    for (size_t i = 0; i < plan->slot_count; i++) {
        const struct slot *slot = &plan->slots[i];
        if (slot->amount_count == 0)
            return true;
        const struct stock *stock = node_stock(node, slot->amounts[0].class);
        if (stock && stock_fits(stock, slot->amounts[0].amount))
            return true;
    }
    return false;
}

static void index_shared(struct candidates_anchors *anchors)
{
    const struct candidates_plan *plan = anchors->plan;
    const struct node_list *sharing = &plan->graph->sharing->nodes;
    anchors->sharers = xcalloc(sharing->count, sizeof *anchors->sharers);
    for (size_t i = 0; i < sharing->count; i++) {
        const struct node *node = sharing->items[i];
        if (!budget_spend(plan->budget, plan->slot_count + node->aggregate_count))
            break;
        if (!may_serve(plan, node))
            continue;
        anchors->sharers[i].node = node;
        for (size_t j = 0; j < node->aggregate_count; j++)
            *array_add(anchors->shared, anchors->shared_count) = (struct shared){
                .aggregate = node->aggregates[j], .sharer = &anchors->sharers[i]};
    }
    if (anchors->shared_count > 0)
        qsort(anchors->shared, anchors->shared_count, sizeof *anchors->shared,
              compare_shared);
}

/* The first entry of the index at or after that aggregate. */
static size_t find_shared(const struct candidates_anchors *anchors,
                          const struct aggregate *aggregate)
{
    return lower_bound(i, anchors->shared_count,
                       anchors->shared[i].aggregate->id < aggregate->id);
}

static int compare_nodes(const void *a, const void *b)
{
    const struct node *one = *(const struct node *const *)a;
    const struct node *other = *(const struct node *const *)b;
    return one->id < other->id ? -1 : one->id > other->id;
}

/* Those of the aggregate, from entry `first` on, that were not found for this tree yet.
 */
static void add_sharers(struct candidates_anchors *anchors, size_t first,
                        const struct node *anchor, const struct node ***nodes,
                        size_t *count)
{
    const struct aggregate *aggregate = anchors->shared[first].aggregate;
    for (size_t i = first;
         i < anchors->shared_count && anchors->shared[i].aggregate == aggregate; i++) {
        struct sharer *sharer = anchors->shared[i].sharer;
        budget_spend(anchors->plan->budget, 1);
        if (sharer->round == anchors->round)
            continue;
        sharer->round = anchors->round;
        if (sharer->node->root != anchor)
            *array_add(*nodes, *count) = sharer->node;
    }
}

/* What `node` shares by its aggregates; `done`: those that need no second look. */
static void add_shared_with(struct candidates_anchors *anchors, const struct node *node,
                            const struct node *anchor, struct node_set *done,
                            const struct node ***nodes, size_t *count)
{
    for (size_t i = 0; i < node->aggregate_count; i++) {
        const struct aggregate *aggregate = node->aggregates[i];
        if (!node_set_add(done, aggregate))
            continue;
        size_t first = find_shared(anchors, aggregate);
        if (first < anchors->shared_count &&
            anchors->shared[first].aggregate == aggregate)
            add_sharers(anchors, first, anchor, nodes, count);
    }
}

bool candidates_shared_with(struct candidates_anchors *anchors,
                            const struct node *anchor, const struct node ***nodes,
                            size_t *count)
{
    struct budget *budget = anchors->plan->budget;
    struct node_set done = {0};
    if (anchors->shared_count == 0)
        return true;
    anchors->round++;
    for (size_t i = 0; i < anchor->tree.count; i++) {
        const struct node *node = anchor->tree.items[i];
        if (!budget_spend(budget, 1 + node->aggregate_count))
            break;
        add_shared_with(anchors, node, anchor, &done, nodes, count);
    }
    node_set_clear(&done);
    if (*count > 1)
        qsort(*nodes, *count, sizeof **nodes, compare_nodes);
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
static const struct node *next_node(struct candidates_anchors *anchors)
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

/* The root of the next one that is in an aggregate with the sharing provider that the
 * walk has come to, and was in none that it has been through; NULL when there are no
 * more. */
static const struct node *next_member_root(struct candidates_anchors *anchors)
{
    const struct node *node = anchors->node;
    while (node && anchors->aggregate < node->aggregate_count) {
        const struct aggregate *aggregate = node->aggregates[anchors->aggregate];
        bool again = anchors->member == 0 && !node_set_add(&anchors->walked, aggregate);
        if (!again && anchors->member < aggregate->nodes.count)
            return aggregate->nodes.items[anchors->member++]->root;
        anchors->aggregate++;
        anchors->member = 0;
    }
    anchors->node = NULL;
    return NULL;
}

/* The next root, which may have been there before. */
static const struct node *next_root(struct candidates_anchors *anchors)
{
    const struct node *root = next_member_root(anchors);
    if (root)
        return root;
    const struct node *node = next_node(anchors);
    if (!node)
        return NULL;
    if (!anchors->source.roots_only && anchors->plan->graph->sharing->nodes.count > 0 &&
        node_has_trait(node, anchors->plan->graph->sharing)) {
        anchors->node = node;
        anchors->aggregate = anchors->member = 0;
    }
    return node->root;
}

const struct node *candidates_anchors_next(struct candidates_anchors *anchors)
{
    const struct node *root;
    while (budget_spend(anchors->plan->budget, 1) && (root = next_root(anchors)))
        if (node_set_add(&anchors->seen, root) &&
            candidates_plan_takes_root(anchors->plan, root))
            return root;
    return NULL;
}

void candidates_anchors_end(struct candidates_anchors *anchors)
{
    node_set_clear(&anchors->seen);
    node_set_clear(&anchors->walked);
    free(anchors->sharers);
    free(anchors->shared);
}
