/* Changes of the graph: consumers, their allocations, and external ids. */
#include <stdlib.h>
#include <string.h>

#include "lib/xalloc.h"
#include "placement/server/graph/graph.h"

struct external_id *graph_add_external_id(struct map *map, int64_t id, const char *name)
{
    struct external_id *external_id = xcalloc(1, sizeof *external_id);
    external_id->id = id;
    external_id->name = xstrdup(name);
    map_add(map, &external_id->by_name, external_id->name);
    return external_id;
}

void graph_set_project(struct consumer *consumer, struct external_id *project)
{
    if (consumer->project) {
        *consumer->previous = consumer->next;
        if (consumer->next)
            consumer->next->previous = consumer->previous;
    }
    consumer->project = project;
    consumer->next = project->consumers;
    consumer->previous = &project->consumers;
    if (consumer->next)
        consumer->next->previous = &consumer->next;
    project->consumers = consumer;
}

struct consumer *graph_add_consumer(struct graph *graph, int64_t id, const char *uuid,
                                    struct external_id *project,
                                    struct external_id *user, struct external_id *type)
{
    struct consumer *consumer = xcalloc(1, sizeof *consumer);
    consumer->id = id;
    uuid_text_copy(consumer->uuid, uuid);
    consumer->user = user;
    consumer->type = type;
    graph_set_project(consumer, project);
    map_add(&graph->consumers, &consumer->by_uuid, consumer->uuid);
    return consumer;
}

struct allocation *graph_add_allocation(struct consumer *consumer,
                                        struct provider_inventory *inventory,
                                        int64_t used, int64_t created)
{
    struct allocation *allocation = xcalloc(1, sizeof *allocation);
    allocation->inventory = inventory;
    allocation->consumer = consumer;
    allocation->used = used;
    allocation->created = created;
    allocation->next_of_consumer = consumer->allocations;
    consumer->allocations = allocation;
    allocation->next_of_inventory = inventory->allocations;
    allocation->previous_of_inventory = &inventory->allocations;
    if (inventory->allocations)
        inventory->allocations->previous_of_inventory = &allocation->next_of_inventory;
    inventory->allocations = allocation;
    inventory->allocation_count++;
    inventory->used += used;
    return allocation;
}

void graph_remove_allocations(struct consumer *consumer)
{
    while (consumer->allocations) {
        struct allocation *allocation = consumer->allocations;
        struct provider_inventory *inventory = allocation->inventory;
        consumer->allocations = allocation->next_of_consumer;
        *allocation->previous_of_inventory = allocation->next_of_inventory;
        if (allocation->next_of_inventory)
            allocation->next_of_inventory->previous_of_inventory =
                allocation->previous_of_inventory;
        inventory->allocation_count--;
        inventory->used -= allocation->used;
        free(allocation);
    }
}

void graph_remove_consumer(struct graph *graph, struct consumer *consumer)
{
    graph_remove_allocations(consumer);
    *consumer->previous = consumer->next;
    if (consumer->next)
        consumer->next->previous = consumer->previous;
    map_remove(&graph->consumers, &consumer->by_uuid);
    free(consumer);
}
