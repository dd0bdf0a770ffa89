/* GET /resource_providers/{uuid}/allocations. */
#include <stdlib.h>

#include "lib/xalloc.h"
#include "placement/server/handlers/handlers.h"

struct found {
    const struct allocation **items;
    size_t count;
};

static void found_clear(struct found *found)
{
    free(found->items);
}

static int by_consumer(const void *a, const void *b)
{
    const struct allocation *left = *(const struct allocation *const *)a;
    const struct allocation *right = *(const struct allocation *const *)b;
    if (left->consumer != right->consumer)
        return left->consumer->id < right->consumer->id ? -1 : 1;
    return left->inventory->class->id < right->inventory->class->id ? -1 : 1;
}

static void find_all(const struct resource_provider *provider, struct found *found)
{
    for (size_t i = 0; i < provider->inventories.count; i++)
        for (const struct allocation *a = provider->inventories.items[i]->allocations;
             a; a = a->next_of_inventory)
            *array_add(found->items, found->count) = a;
    if (found->count > 0)
        qsort(found->items, found->count, sizeof *found->items, by_consumer);
}

/* Writes the allocations of one consumer, which begin at `at`. Gives the index behind
 * them. */
static size_t write_consumer(struct json_writer *w, const struct found *found,
                             size_t at, int microversion)
{
    const struct consumer *consumer = found->items[at]->consumer;
    json_write_key(w, consumer->uuid);
    json_write_begin_object(w);
    json_write_key(w, "resources");
    json_write_begin_object(w);
    for (; at < found->count && found->items[at]->consumer == consumer; at++)
        json_write_int_member(w, found->items[at]->inventory->class->name,
                              found->items[at]->used);
    json_write_end_object(w);
    if (microversion >= MICROVERSION_CONSUMER_GENERATION)
        json_write_int_member(w, "consumer_generation", consumer->generation);
    json_write_end_object(w);
    return at;
}

int provider_allocations_get(struct store *store, const struct request *request,
                             struct reply *reply)
{
    const char *uuid = request->path_items[0];
    const struct resource_provider *provider = graph_provider(&store->graph, uuid);
    struct json_writer *w = &reply->body;
    _cleanup_(found_clear) struct found found = {0};
    int64_t modified = 0;
    if (!provider)
        return reply_problem(reply, 404, NULL,
                             "Resource provider '%s' not found: No resource provider "
                             "with uuid %s found",
                             uuid, uuid);
    find_all(provider, &found);
    json_write_begin_object(w);
    json_write_key(w, "allocations");
    json_write_begin_object(w);
    for (size_t i = 0; i < found.count;) {
        if (!handler_works(request, 1, reply))
            return -1;
        i = write_consumer(w, &found, i, request->microversion);
    }
    json_write_end_object(w);
    json_write_int_member(w, "resource_provider_generation", provider->generation);
    json_write_end_object(w);
    for (size_t i = 0; i < found.count; i++)
        if (found.items[i]->created > modified)
            modified = found.items[i]->created;
    reply_last_modified(reply, request, modified);
    return 0;
}
