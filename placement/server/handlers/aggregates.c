/* /resource_providers/{uuid}/aggregates. */
#include <stdlib.h>
#include <string.h>

#include "lib/xalloc.h"
#include "placement/server/handlers/handlers.h"
#include "placement/server/message/uuid_like.h"

static const struct schema uuid_schema = {.type = SCHEMA_STRING, .uuid = true};
static const struct schema list_schema = {
    .type = SCHEMA_ARRAY, .items = &uuid_schema, .unique = true};
static const struct schema generation_schema = {.type = SCHEMA_INTEGER};
static const struct schema body_schema_19 = {
    .type = SCHEMA_OBJECT,
    .properties = (const struct schema_property[]){{"aggregates", &list_schema, true},
                                                   {"resource_provider_generation",
                                                    &generation_schema, true},
                                                   {0}},
};

static int give(struct reply *reply, const struct request *request,
                const struct resource_provider *provider)
{
    struct json_writer *w = &reply->body;
    json_write_begin_object(w);
    json_write_key(w, "aggregates");
    json_write_begin_array(w);
    for (size_t i = 0; i < provider->aggregate_count; i++)
        json_write_string(w, provider->aggregates[i]->uuid);
    json_write_end_array(w);
    if (request_at_least(request, MICROVERSION_AGGREGATES_GENERATION))
        json_write_int_member(w, "resource_provider_generation", provider->generation);
    json_write_end_object(w);
    reply_last_modified(reply, request, 0);
    return 0;
}

int aggregates_get(struct store *store, const struct request *request,
                   struct reply *reply)
{
    const struct resource_provider *provider = handler_provider(store, request, reply);
    return provider ? give(reply, request, provider) : -1;
}

static int by_id(const void *a, const void *b)
{
    const struct aggregate *left = *(struct aggregate *const *)a;
    const struct aggregate *right = *(struct aggregate *const *)b;
    return (left->id > right->id) - (left->id < right->id);
}

/* Finds or creates the aggregates. As in upstream, each spelling of a uuid is an
 * aggregate of its own, unless it is longer than the usual spelling. */
static int ensure_all(struct store *store, struct json_object *uuids,
                      struct aggregate ***out, size_t *count, struct error *err)
{
    for (size_t i = 0; i < json_object_array_length(uuids); i++) {
        char uuid[UUID_TEXT_SIZE];
        const char *given = json_object_get_string(json_object_array_get_idx(uuids, i));
        uuid_like(given, uuid);
        if (strlen(given) < sizeof uuid)
            uuid_text_copy(uuid, given);
        if (store_ensure_aggregate(store, uuid, array_add(*out, *count), err) != 0)
            return -1;
    }
    handler_sort_unique(*out, count, by_id);
    return 0;
}

static int set(struct store *store, const struct request *request,
               struct resource_provider *provider, struct json_object *uuids,
               struct reply *reply)
{
    _cleanup_free_ struct aggregate **aggregates = NULL;
    size_t count = 0;
    struct error err;
    if (ensure_all(store, uuids, &aggregates, &count, &err) != 0 ||
        store_set_aggregates(store, provider, aggregates, count, &err) != 0)
        return handler_failed(reply, &err);
    /* Before 1.19 clients do not send the generation, and it does not rise. */
    if (request_at_least(request, MICROVERSION_AGGREGATES_GENERATION) &&
        store_raise_generation(store, provider, &err) != 0)
        return handler_failed(reply, &err);
    return give(reply, request, provider);
}

int aggregates_set(struct store *store, const struct request *request,
                   struct reply *reply)
{
    struct resource_provider *provider = handler_provider(store, request, reply);
    _cleanup_json_ struct json_object *body = NULL;
    bool with_generation =
        request_at_least(request, MICROVERSION_AGGREGATES_GENERATION);
    if (!provider || schema_read_body(with_generation ? &body_schema_19 : &list_schema,
                                      request, &body, reply) != 0)
        return -1;
    if (!with_generation)
        return set(store, request, provider, body, reply);
    if (schema_integer(json_member(body, "resource_provider_generation")) !=
        provider->generation)
        return reply_problem(reply, 409, CODE_CONCURRENT_UPDATE,
                             "Resource provider's generation already changed. Please "
                             "update the generation and try again.");
    return set(store, request, provider, json_member(body, "aggregates"), reply);
}
