/* /resource_providers/{uuid}/inventories and what is below it. */
#include <json-c/linkhash.h>

#include "placement/codec.h"
#include "placement/server/handlers/handlers.h"
#include "placement/server/schema/inventory_body.h"

#include "lib/xalloc.h"

/* ---- as JSON ---- */

static int give_all(struct reply *reply, const struct request *request,
                    const struct resource_provider *provider)
{
    struct json_writer *w = &reply->body;
    int64_t modified = 0;
    json_write_begin_object(w);
    json_write_int_member(w, "resource_provider_generation", provider->generation);
    json_write_key(w, "inventories");
    json_write_begin_object(w);
    for (size_t i = 0; i < provider->inventories.count; i++) {
        const struct provider_inventory *inventory = provider->inventories.items[i];
        json_write_key(w, inventory->class->name);
        codec_write_inventory(w, &inventory->limits);
        if (inventory->modified > modified)
            modified = inventory->modified;
    }
    json_write_end_object(w);
    json_write_end_object(w);
    reply_last_modified(reply, request, modified);
    if (provider->inventories.count == 0)
        reply->last_modified = 0;
    return 0;
}

static int give_one(struct reply *reply, const struct request *request,
                    const struct resource_provider *provider,
                    const struct inventory *limits, int64_t modified)
{
    struct json_writer *w = &reply->body;
    json_write_begin_object(w);
    codec_write_inventory_members(w, limits);
    if (provider->generation)
        json_write_int_member(w, "resource_provider_generation", provider->generation);
    json_write_end_object(w);
    reply_last_modified(reply, request, modified);
    return 0;
}

/* ---- checks ---- */

/* Before 1.26 the capacity, cut to a whole number, must be positive; since then it may
 * be 0. */
static int check_capacity(const struct request *request,
                          const struct resource_provider *provider, const char *class,
                          const struct inventory *limits, const char *verb,
                          struct reply *reply)
{
    double capacity = inventory_capacity(limits);
    bool may_be_zero = request_at_least(request, MICROVERSION_ALL_RESERVED);
    if (may_be_zero ? capacity > -1 : capacity >= 1)
        return 0;
    return reply_problem(reply, 400, NULL,
                         "Unable to %s inventory for resource provider %s: Invalid "
                         "inventory for '%s' on resource provider '%s'. The reserved "
                         "value is greater than %stotal.",
                         verb, provider->uuid, class, provider->uuid,
                         may_be_zero ? "" : "or equal to ");
}

static int check_generation(struct json_object *body,
                            const struct resource_provider *provider,
                            struct reply *reply)
{
    struct json_object *given = json_member(body, "resource_provider_generation");
    if (schema_integer(given) == provider->generation)
        return 0;
    return reply_problem(reply, 409, CODE_CONCURRENT_UPDATE,
                         "resource provider generation conflict");
}

/* ---- all ---- */

int inventories_get(struct store *store, const struct request *request,
                    struct reply *reply)
{
    const struct resource_provider *provider =
        handler_provider_quoted(store, request, " : ", reply);
    return provider ? give_all(reply, request, provider) : -1;
}

static int read_set(const struct store *store, const struct request *request,
                    struct resource_provider *provider, struct inventory_plan *plan,
                    struct reply *reply)
{
    _cleanup_json_ struct json_object *body = NULL;
    if (schema_read_body(&inventories_schema, request, &body, reply) != 0 ||
        check_generation(body, provider, reply) != 0)
        return -1;
    struct json_object *inventories = json_member(body, "inventories");
    json_object_object_foreach (inventories, name, json) {
        struct inventory limits;
        inventory_read(json, &limits);
        if (check_capacity(request, provider, name, &limits, "update", reply) != 0)
            return -1;
    }
    const char *unknown =
        inventory_plan_read(&store->graph, provider, inventories, plan);
    if (unknown)
        return reply_problem(
            reply, 400, NULL,
            "Unknown resource class in inventory for resource provider "
            "%s: No such resource class %s.",
            provider->uuid, unknown);
    return 0;
}

int inventories_set(struct store *store, const struct request *request,
                    struct reply *reply)
{
    struct resource_provider *provider = handler_provider(store, request, reply);
    _cleanup_(inventory_plan_clear) struct inventory_plan plan = {0};
    struct error err;
    if (!provider || read_set(store, request, provider, &plan, reply) != 0)
        return -1;
    _cleanup_free_ char *in_use = inventory_plan_in_use(&plan);
    if (in_use)
        return reply_problem(reply, 409, CODE_INVENTORY_INUSE, "update conflict: %s",
                             in_use);
    if (inventory_plan_apply(store, &plan, true, &err) != 0)
        return handler_failed(reply, &err);
    return give_all(reply, request, provider);
}

int inventories_delete(struct store *store, const struct request *request,
                       struct reply *reply)
{
    struct resource_provider *provider = handler_provider(store, request, reply);
    if (!provider)
        return -1;
    struct inventory_plan nothing = {.provider = provider};
    _cleanup_free_ char *in_use = inventory_plan_in_use(&nothing);
    struct error err;
    if (in_use)
        return reply_problem(reply, 409, CODE_INVENTORY_INUSE, "%s", in_use);
    if (inventory_plan_apply(store, &nothing, true, &err) != 0)
        return handler_failed(reply, &err);
    return handler_no_content(reply);
}

/* ---- one ---- */

static int put_one(struct store *store, const struct request *request,
                   struct resource_provider *provider, struct resource_class *class,
                   const struct inventory *limits, struct reply *reply)
{
    struct error err;
    if (store_set_inventory(store, provider, class, limits, &err) != 0 ||
        store_raise_generation(store, provider, &err) != 0)
        return handler_failed(reply, &err);
    return give_one(reply, request, provider, limits, request->now);
}

int inventory_create(struct store *store, const struct request *request,
                     struct reply *reply)
{
    struct resource_provider *provider = handler_provider(store, request, reply);
    _cleanup_json_ struct json_object *body = NULL;
    struct inventory limits;
    if (!provider ||
        schema_read_body(&inventory_post_schema, request, &body, reply) != 0)
        return -1;
    const char *name = json_object_get_string(json_member(body, "resource_class"));
    inventory_read(body, &limits);
    if (check_capacity(request, provider, name, &limits, "create", reply) != 0)
        return -1;
    struct resource_class *class = graph_class(&store->graph, name);
    if (!class)
        return reply_problem(reply, 400, NULL,
                             "Unable to create inventory for resource provider %s: No "
                             "such resource class %s.",
                             provider->uuid, name);
    if (provider_inventory_of(provider, class))
        return reply_problem(reply, 409, CODE_CONCURRENT_UPDATE,
                             "Update conflict: resource provider %s has inventory of "
                             "class %s already",
                             provider->uuid, name);
    if (put_one(store, request, provider, class, &limits, reply) != 0)
        return -1;
    reply->status = 201;
    reply->location =
        xasprintf("/resource_providers/%s/inventories/%s", provider->uuid, class->name);
    return 0;
}

/* The inventory that the path names; NULL when the provider has none of that class. */
static struct provider_inventory *
named_inventory(const struct store *store, const struct request *request,
                const struct resource_provider *provider)
{
    const struct resource_class *class =
        graph_class(&store->graph, request->path_items[1]);
    return class ? provider_inventory_of(provider, class) : NULL;
}

int inventory_get(struct store *store, const struct request *request,
                  struct reply *reply)
{
    const struct resource_provider *provider =
        handler_provider_quoted(store, request, " : ", reply);
    if (!provider)
        return -1;
    const struct provider_inventory *inventory =
        named_inventory(store, request, provider);
    if (!inventory)
        return reply_problem(reply, 404, NULL, "No inventory of class %s for %s",
                             request->path_items[1], provider->uuid);
    return give_one(reply, request, provider, &inventory->limits, inventory->modified);
}

int inventory_update(struct store *store, const struct request *request,
                     struct reply *reply)
{
    const char *name = request->path_items[1];
    struct resource_provider *provider = handler_provider(store, request, reply);
    _cleanup_json_ struct json_object *body = NULL;
    struct inventory limits;
    if (!provider || schema_read_body(&inventory_schema, request, &body, reply) != 0 ||
        check_generation(body, provider, reply) != 0)
        return -1;
    inventory_read(body, &limits);
    if (check_capacity(request, provider, name, &limits, "update", reply) != 0)
        return -1;
    struct resource_class *class = graph_class(&store->graph, name);
    if (!class)
        return reply_problem(reply, 404, NULL, "No such resource class %s.", name);
    if (!provider_inventory_of(provider, class))
        return reply_problem(reply, 400, NULL,
                             "No inventory record with resource class for resource "
                             "provider %s: No inventory of class %s found.",
                             provider->uuid, name);
    return put_one(store, request, provider, class, &limits, reply);
}

int inventory_delete(struct store *store, const struct request *request,
                     struct reply *reply)
{
    const char *name = request->path_items[1];
    struct resource_provider *provider = handler_provider(store, request, reply);
    struct error err;
    if (!provider)
        return -1;
    struct provider_inventory *inventory = named_inventory(store, request, provider);
    if (!inventory)
        return reply_problem(
            reply, 404, NULL, "No inventory of class %s found for delete: No %s %s%s",
            name,
            graph_class(&store->graph, name) ? "inventory of class"
                                             : "such resource class",
            name, graph_class(&store->graph, name) ? " found for delete" : ".");
    if (inventory->allocation_count > 0)
        return reply_problem(reply, 409, CODE_CONCURRENT_UPDATE,
                             "Unable to delete inventory of class %s: Inventory for "
                             "'%s' on resource provider '%s' in use.",
                             name, name, provider->uuid);
    if (store_remove_inventory(store, inventory, &err) != 0 ||
        store_raise_generation(store, provider, &err) != 0)
        return handler_failed(reply, &err);
    return handler_no_content(reply);
}
