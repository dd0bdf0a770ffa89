#include "placement/server/graph/graph.h"

#include <string.h>

#include "lib/lower_bound.h"

struct node *graph_node(const struct graph *graph, const char *uuid)
{
    return map_owner(map_find(&graph->nodes_by_uuid, uuid), struct node, by_uuid);
}

struct node *graph_node_by_name(const struct graph *graph, const char *name)
{
    return map_owner(map_find(&graph->nodes_by_name, name), struct node, by_name);
}

struct resource_class *graph_class(const struct graph *graph, const char *name)
{
    return map_owner(map_find(&graph->classes_by_name, name), struct resource_class,
                     by_name);
}

struct trait *graph_trait(const struct graph *graph, const char *name)
{
    return map_owner(map_find(&graph->traits_by_name, name), struct trait, by_name);
}

struct aggregate *graph_aggregate(const struct graph *graph, const char *uuid)
{
    return map_owner(map_find(&graph->aggregates, uuid), struct aggregate, by_uuid);
}

struct consumer *graph_consumer(const struct graph *graph, const char *uuid)
{
    return map_owner(map_find(&graph->consumers, uuid), struct consumer, by_uuid);
}

struct outsider *graph_project(const struct graph *graph, const char *name)
{
    return map_owner(map_find(&graph->projects, name), struct outsider, by_name);
}

struct outsider *graph_user(const struct graph *graph, const char *name)
{
    return map_owner(map_find(&graph->users, name), struct outsider, by_name);
}

struct outsider *graph_consumer_type(const struct graph *graph, const char *name)
{
    return map_owner(map_find(&graph->consumer_types, name), struct outsider, by_name);
}

struct stock *node_stock(const struct node *node, const struct resource_class *class)
{
    size_t at = lower_bound(i, node->stocks.count,
                            node->stocks.items[i]->class->id < class->id);
    bool found = at < node->stocks.count && node->stocks.items[at]->class == class;
    return found ? node->stocks.items[at] : NULL;
}

bool node_has_trait(const struct node *node, const struct trait *trait)
{
    size_t at = lower_bound(i, node->trait_count, node->traits[i]->id < trait->id);
    return at < node->trait_count && node->traits[at] == trait;
}

bool node_in_aggregate(const struct node *node, const struct aggregate *aggregate)
{
    size_t at =
        lower_bound(i, node->aggregate_count, node->aggregates[i]->id < aggregate->id);
    return at < node->aggregate_count && node->aggregates[at] == aggregate;
}

bool node_is_below(const struct node *node, const struct node *ancestor)
{
    while (node && node != ancestor)
        node = node->parent;
    return node != NULL;
}

bool stock_fits(const struct stock *stock, int64_t amount)
{
    const struct inventory *limits = &stock->limits;
    return amount >= limits->min_unit && amount <= limits->max_unit &&
           amount % limits->step_size == 0 &&
           (double)stock->used + (double)amount <= stock_capacity(stock);
}
