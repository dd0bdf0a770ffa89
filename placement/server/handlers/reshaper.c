/* POST /reshaper: inventories and allocations of many providers at once. */
#include <json-c/linkhash.h>
#include <stdlib.h>

#include "lib/xalloc.h"
#include "placement/server/handlers/allocation_plan.h"
#include "placement/server/handlers/handlers.h"
#include "placement/server/schema/allocation_body.h"
#include "placement/server/schema/inventory_body.h"

static const struct schema by_provider = {
    .type = SCHEMA_OBJECT,
    .min_properties = 1,
    .pattern_names = &schema_uuid_chars,
    .pattern_schema = &inventories_schema,
};

/* All that one request changes. */
struct shape {
    struct inventory_plan *inventories;
    size_t count;
    struct allocation_plan allocations;
};

static void shape_clear(struct shape *shape)
{
    for (size_t i = 0; i < shape->count; i++)
        inventory_plan_clear(&shape->inventories[i]);
    free(shape->inventories);
    allocation_plan_clear(&shape->allocations);
}

static int read_body(const struct request *request, struct json_object **out,
                     struct reply *reply)
{
    const struct schema_property properties[] = {
        {"inventories", &by_provider, true},
        {"allocations", allocation_reshape_schema(request->microversion), true},
        {0}};
    const struct schema schema = {.type = SCHEMA_OBJECT, .properties = properties};
    return schema_read_body(&schema, request, out, reply);
}

/* ---- reading ---- */

/* Finds a provider and checks that its generation is the one that the client sent. */
static int find_provider(const struct graph *graph, const char *uuid,
                         struct json_object *json, struct resource_provider **out,
                         struct reply *reply)
{
    *out = graph_provider(graph, uuid);
    if (!*out)
        return reply_problem(
            reply, 400, CODE_PROVIDER_NOT_FOUND,
            "Resource provider %s in inventories not found: No resource "
            "provider with uuid %s found",
            uuid, uuid);
    int64_t given = schema_integer(json_member(json, "resource_provider_generation"));
    if (given != (*out)->generation)
        return reply_problem(reply, 409, CODE_CONCURRENT_UPDATE,
                             "resource provider generation conflict for provider %s: "
                             "actual: %lld, given: %lld",
                             uuid, (long long)(*out)->generation, (long long)given);
    return 0;
}

static int check_providers(const struct graph *graph, struct json_object *inventories,
                           struct reply *reply)
{
    struct resource_provider *provider;
    json_object_object_foreach (inventories, uuid, json) {
        if (find_provider(graph, uuid, json, &provider, reply) != 0)
            return -1;
    }
    return 0;
}

static int read_inventories(const struct graph *graph, struct json_object *inventories,
                            struct shape *shape, struct reply *reply)
{
    json_object_object_foreach (inventories, uuid, json) {
        struct inventory_plan plan;
        const char *unknown =
            inventory_plan_read(graph, graph_provider(graph, uuid),
                                json_member(json, "inventories"), &plan);
        if (unknown)
            return reply_problem(reply, 400, NULL,
                                 "malformed reshaper data: No such resource class %s.",
                                 unknown);
        *array_add(shape->inventories, shape->count) = plan;
    }
    /* The schema demands at least one. */
    qsort(shape->inventories, shape->count, sizeof *shape->inventories,
          inventory_plan_compare);
    return 0;
}

/* ---- checking ---- */

/* An inventory that is removed must not be in use after the request. */
static int check_removed_of(const struct shape *shape,
                            const struct inventory_plan *plan, struct reply *reply)
{
    _cleanup_strlist_ struct strlist classes = {0};
    for (size_t i = 0; i < plan->provider->inventories.count; i++) {
        const struct provider_inventory *inventory =
            plan->provider->inventories.items[i];
        if (!inventory_plan_find(plan, inventory->class) &&
            allocation_plan_use_after(&shape->allocations, inventory) > 0)
            strlist_add(&classes, inventory->class->name);
    }
    if (classes.count == 0)
        return 0;
    _cleanup_free_ char *names = strlist_join(&classes, ", ");
    return reply_problem(
        reply, 409, CODE_INVENTORY_INUSE,
        "update conflict: Inventory for '%s' on resource provider '%s' "
        "in use.",
        names, plan->provider->uuid);
}

static int check_removed(const struct shape *shape, struct reply *reply)
{
    for (size_t i = 0; i < shape->count; i++)
        if (check_removed_of(shape, &shape->inventories[i], reply) != 0)
            return -1;
    return 0;
}

static int check(const struct store *store, struct shape *shape, struct reply *reply)
{
    _cleanup_free_ char *why = NULL;
    bool unknown_class;
    if (allocation_plan_check(&shape->allocations, shape->inventories, shape->count,
                              store->options.strict_capacity, &why,
                              &unknown_class) != 0)
        return unknown_class
                   ? reply_problem(reply, 400, NULL, "malformed reshaper data: %s", why)
                   : reply_problem(reply, 409, NULL, "Unable to allocate inventory: %s",
                                   why);
    return check_removed(shape, reply);
}

/* ---- carrying it out ---- */

/* New inventories are added before the allocations are changed, old ones removed
 * afterwards. As in upstream, the generation rises at both steps. */
static int apply(struct store *store, const struct shape *shape, struct error *err)
{
    for (size_t i = 0; i < shape->count; i++)
        if (shape->inventories[i].count > 0 &&
            inventory_plan_apply(store, &shape->inventories[i], false, err) != 0)
            return -1;
    if (allocation_plan_apply(store, &shape->allocations, err) != 0)
        return -1;
    for (size_t i = 0; i < shape->count; i++)
        if (inventory_plan_apply(store, &shape->inventories[i], true, err) != 0)
            return -1;
    return 0;
}

int reshaper_post(struct store *store, const struct request *request,
                  struct reply *reply)
{
    const struct graph *graph = &store->graph;
    _cleanup_json_ struct json_object *body = NULL;
    _cleanup_(shape_clear) struct shape shape = {0};
    struct error err;
    if (read_body(request, &body, reply) != 0)
        return -1;
    struct json_object *inventories = json_member(body, "inventories");
    struct json_object *allocations = json_member(body, "allocations");
    if (check_providers(graph, inventories, reply) != 0 ||
        allocation_plan_add_all(&shape.allocations, store, request, allocations,
                                reply) != 0 ||
        read_inventories(graph, inventories, &shape, reply) != 0 ||
        check(store, &shape, reply) != 0)
        return -1;
    if (apply(store, &shape, &err) != 0)
        return handler_failed(reply, &err);
    return handler_no_content(reply);
}
