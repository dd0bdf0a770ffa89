#include "placement/server/graph/graph.h"

#include <string.h>

#include "lib/lower_bound.h"

struct resource_provider *graph_provider(const struct graph *graph, const char *uuid)
{
    return map_owner(map_find(&graph->providers_by_uuid, uuid),
                     struct resource_provider, by_uuid);
}

struct resource_provider *graph_provider_by_name(const struct graph *graph,
                                                 const char *name)
{
    return map_owner(map_find(&graph->providers_by_name, name),
                     struct resource_provider, by_name);
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

struct external_id *graph_project(const struct graph *graph, const char *name)
{
    return map_owner(map_find(&graph->projects, name), struct external_id, by_name);
}

struct external_id *graph_user(const struct graph *graph, const char *name)
{
    return map_owner(map_find(&graph->users, name), struct external_id, by_name);
}

struct external_id *graph_consumer_type(const struct graph *graph, const char *name)
{
    return map_owner(map_find(&graph->consumer_types, name), struct external_id,
                     by_name);
}

struct provider_inventory *
provider_inventory_of(const struct resource_provider *provider,
                      const struct resource_class *class)
{
    size_t at = lower_bound(i, provider->inventories.count,
                            provider->inventories.items[i]->class->id < class->id);
    bool found = at < provider->inventories.count &&
                 provider->inventories.items[at]->class == class;
    return found ? provider->inventories.items[at] : NULL;
}

bool provider_has_trait(const struct resource_provider *provider,
                        const struct trait *trait)
{
    size_t at =
        lower_bound(i, provider->trait_count, provider->traits[i]->id < trait->id);
    return at < provider->trait_count && provider->traits[at] == trait;
}

bool provider_in_aggregate(const struct resource_provider *provider,
                           const struct aggregate *aggregate)
{
    size_t at = lower_bound(i, provider->aggregate_count,
                            provider->aggregates[i]->id < aggregate->id);
    return at < provider->aggregate_count && provider->aggregates[at] == aggregate;
}

bool provider_is_below(const struct resource_provider *provider,
                       const struct resource_provider *ancestor)
{
    while (provider && provider != ancestor)
        provider = provider->parent;
    return provider != NULL;
}

bool inventory_fits(const struct provider_inventory *inventory, int64_t amount)
{
    return inventory_allows(&inventory->limits, amount) &&
           (double)inventory->used + (double)amount <=
               inventory_capacity(&inventory->limits);
}
