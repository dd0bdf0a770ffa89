/* Changing the graph: who uses what. */
#include <stdlib.h>
#include <string.h>

#include "lib/xalloc.h"
#include "placement/server/graph/graph.h"

struct outsider *graph_add_outsider(struct map *map, int64_t id, const char *name)
{
    struct outsider *outsider = xcalloc(1, sizeof *outsider);
    outsider->id = id;
    outsider->name = xstrdup(name);
    map_add(map, &outsider->by_name, outsider->name);
    return outsider;
}

void graph_set_project(struct consumer *consumer, struct outsider *project)
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
                                    struct outsider *project, struct outsider *user,
                                    struct outsider *type)
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

struct allocation *graph_add_allocation(struct consumer *consumer, struct stock *stock,
                                        int64_t used, int64_t created)
{
    struct allocation *allocation = xcalloc(1, sizeof *allocation);
    allocation->stock = stock;
    allocation->consumer = consumer;
    allocation->used = used;
    allocation->created = created;
    allocation->next_of_consumer = consumer->allocations;
    consumer->allocations = allocation;
    allocation->next_of_stock = stock->allocations;
    allocation->previous_of_stock = &stock->allocations;
    if (stock->allocations)
        stock->allocations->previous_of_stock = &allocation->next_of_stock;
    stock->allocations = allocation;
    stock->allocation_count++;
    stock->used += used;
    return allocation;
}

void graph_remove_allocations(struct consumer *consumer)
{
    while (consumer->allocations) {
        struct allocation *allocation = consumer->allocations;
        struct stock *stock = allocation->stock;
        consumer->allocations = allocation->next_of_consumer;
        *allocation->previous_of_stock = allocation->next_of_stock;
        if (allocation->next_of_stock)
            allocation->next_of_stock->previous_of_stock =
                allocation->previous_of_stock;
        stock->allocation_count--;
        stock->used -= allocation->used;
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
