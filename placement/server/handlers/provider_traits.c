/* /resource_providers/{uuid}/traits. */
#include <stdlib.h>

#include "lib/xalloc.h"
#include "placement/server/handlers/handlers.h"

static const struct schema name_schema = {
    .type = SCHEMA_STRING, .min_length = 1, .max_length = 255};
static const struct schema names_schema = {.type = SCHEMA_ARRAY, .items = &name_schema};
static const struct schema generation_schema = {.type = SCHEMA_INTEGER};
static const struct schema body_schema = {
    .type = SCHEMA_OBJECT,
    .properties = (const struct schema_property[]){{"traits", &names_schema, true},
                                                   {"resource_provider_generation",
                                                    &generation_schema, true},
                                                   {0}},
};

static int give(struct reply *reply, const struct request *request,
                const struct resource_provider *provider)
{
    struct json_writer *w = &reply->body;
    int64_t modified = 0;
    json_write_begin_object(w);
    json_write_key(w, "traits");
    json_write_begin_array(w);
    for (size_t i = 0; i < provider->trait_count; i++) {
        json_write_string(w, provider->traits[i]->name);
        if (provider->traits[i]->modified > modified)
            modified = provider->traits[i]->modified;
    }
    json_write_end_array(w);
    json_write_int_member(w, "resource_provider_generation", provider->generation);
    json_write_end_object(w);
    reply_last_modified(reply, request, modified);
    return 0;
}

int provider_traits_get(struct store *store, const struct request *request,
                        struct reply *reply)
{
    const struct resource_provider *provider =
        handler_provider_quoted(store, request, ": ", reply);
    return provider ? give(reply, request, provider) : -1;
}

/* ---- setting them ---- */

struct traits {
    struct trait **items; /* sorted by id, without repetitions */
    size_t count;
};

static void traits_clear(struct traits *traits)
{
    free(traits->items);
}

static int by_id(const void *a, const void *b)
{
    const struct trait *left = *(struct trait *const *)a;
    const struct trait *right = *(struct trait *const *)b;
    return (left->id > right->id) - (left->id < right->id);
}

static int find_traits(const struct graph *graph, struct json_object *names,
                       struct traits *out, struct reply *reply)
{
    _cleanup_strlist_ struct strlist unknown = {0};
    for (size_t i = 0; i < json_object_array_length(names); i++) {
        const char *name = json_object_get_string(json_object_array_get_idx(names, i));
        struct trait *trait = graph_trait(graph, name);
        if (trait)
            *array_add(out->items, out->count) = trait;
        else
            strlist_add(&unknown, name);
    }
    if (unknown.count > 0) {
        strlist_sort_unique(&unknown);
        _cleanup_free_ char *all = strlist_join(&unknown, ", ");
        return reply_problem(reply, 400, NULL, "No such trait %s", all);
    }
    handler_sort_unique(out->items, &out->count, by_id);
    return 0;
}

/* Setting the traits that the provider already has changes nothing, not even its
 * generation. */
static int set(struct store *store, struct resource_provider *provider,
               const struct traits *traits, struct reply *reply)
{
    bool same = traits->count == provider->trait_count;
    for (size_t i = 0; same && i < traits->count; i++)
        same = traits->items[i] == provider->traits[i];
    struct error err;
    if (same)
        return 0;
    if (store_set_traits(store, provider, traits->items, traits->count, &err) != 0 ||
        store_raise_generation(store, provider, &err) != 0)
        return handler_failed(reply, &err);
    return 0;
}

int provider_traits_set(struct store *store, const struct request *request,
                        struct reply *reply)
{
    _cleanup_json_ struct json_object *body = NULL;
    _cleanup_(traits_clear) struct traits traits = {0};
    if (schema_read_body(&body_schema, request, &body, reply) != 0)
        return -1;
    struct resource_provider *provider = handler_provider(store, request, reply);
    if (!provider)
        return -1;
    if (schema_integer(json_member(body, "resource_provider_generation")) !=
        provider->generation)
        return reply_problem(reply, 409, CODE_CONCURRENT_UPDATE,
                             "Resource provider's generation already changed. Please "
                             "update the generation and try again.");
    if (find_traits(&store->graph, json_member(body, "traits"), &traits, reply) != 0 ||
        set(store, provider, &traits, reply) != 0)
        return -1;
    return give(reply, request, provider);
}

int provider_traits_delete(struct store *store, const struct request *request,
                           struct reply *reply)
{
    struct resource_provider *provider = handler_provider(store, request, reply);
    const struct traits none = {0};
    if (!provider || set(store, provider, &none, reply) != 0)
        return -1;
    return handler_no_content(reply);
}
