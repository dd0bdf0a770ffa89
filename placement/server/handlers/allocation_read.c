/* Reading what consumers are to have: the first half of allocation_plan.h. */
#include <json-c/linkhash.h>
#include <stdio.h>
#include <string.h>

#include "lib/xalloc.h"
#include "placement/server/handlers/allocation_plan.h"

static int refuse_generation(struct reply *reply, const struct consumer *known,
                             struct json_object *given)
{
    char expected[24] = "null";
    if (known)
        snprintf(expected, sizeof expected, "%lld", (long long)known->generation);
    _cleanup_free_ char *got = schema_show(given);
    return reply_problem(reply, 409, CODE_CONCURRENT_UPDATE,
                         "consumer generation conflict - expected %s but got %s",
                         expected, got);
}

/* Since 1.28 the client sends the generation of a consumer, and null for a new one. */
static int check_generation(const struct consumer *known, struct json_object *body,
                            struct reply *reply)
{
    struct json_object *given = json_member(body, "consumer_generation");
    bool right = known ? given && schema_integer(given) == known->generation : !given;
    return right ? 0 : refuse_generation(reply, known, given);
}

static void add_resources(struct allocation_plan *plan, const struct graph *graph,
                          struct resource_provider *provider,
                          struct json_object *resources)
{
    json_object_object_foreach (resources, name, amount) {
        *array_add(plan->items, plan->item_count) = (struct planned_allocation){
            .provider = provider,
            .class_name = name,
            .class = graph_class(graph, name),
            .used = schema_integer(amount),
        };
    }
}

static int add_provider(struct allocation_plan *plan, const struct graph *graph,
                        const char *uuid, struct json_object *resources,
                        struct reply *reply)
{
    struct resource_provider *provider = graph_provider(graph, uuid);
    if (!provider)
        return reply_problem(
            reply, 400, NULL,
            "Allocation for resource provider '%s' that does not exist.", uuid);
    add_resources(plan, graph, provider, resources);
    return 0;
}

static int add_object(struct allocation_plan *plan, const struct graph *graph,
                      struct json_object *object, struct reply *reply)
{
    json_object_object_foreach (object, uuid, item) {
        if (add_provider(plan, graph, uuid, json_member(item, "resources"), reply) != 0)
            return -1;
    }
    return 0;
}

/* In the list form (before 1.12) the last entry of a provider counts. */
static int add_list(struct allocation_plan *plan, const struct graph *graph,
                    struct json_object *list, struct reply *reply)
{
    _cleanup_json_ struct json_object *by_uuid = json_object_new_object();
    for (size_t i = 0; i < json_object_array_length(list); i++) {
        struct json_object *item = json_object_array_get_idx(list, i);
        struct json_object *provider = json_member(item, "resource_provider");
        json_object_object_add(by_uuid,
                               json_object_get_string(json_member(provider, "uuid")),
                               json_object_get(item));
    }
    return add_object(plan, graph, by_uuid, reply);
}

static const char *text_or(struct json_object *body, const char *name,
                           const char *otherwise)
{
    struct json_object *member = json_member(body, name);
    return member ? json_object_get_string(member) : otherwise;
}

static int check_consumer(const struct store *store, const struct request *request,
                          const char *consumer, struct json_object *body,
                          struct reply *reply)
{
    const struct consumer *known = graph_consumer(&store->graph, consumer);
    return request_at_least(request, MICROVERSION_CONSUMER_GENERATION)
               ? check_generation(known, body, reply)
               : 0;
}

static int add_consumer(struct allocation_plan *plan, const struct store *store,
                        const char *consumer, struct json_object *body,
                        struct reply *reply)
{
    const struct graph *graph = &store->graph;
    struct planned_consumer planned = {
        .known = graph_consumer(graph, consumer),
        .project = text_or(body, "project_id", store->options.incomplete_project_id),
        .user = text_or(body, "user_id", store->options.incomplete_user_id),
        .type = text_or(body, "consumer_type", NULL),
        .first = plan->item_count,
    };
    uuid_text_copy(planned.uuid, consumer);
    struct json_object *allocations = json_member(body, "allocations");
    if ((json_object_is_type(allocations, json_type_array)
             ? add_list(plan, graph, allocations, reply)
             : add_object(plan, graph, allocations, reply)) != 0)
        return -1;
    planned.count = plan->item_count - planned.first;
    *array_add(plan->consumers, plan->consumer_count) = planned;
    return 0;
}

int allocation_plan_add(struct allocation_plan *plan, const struct store *store,
                        const struct request *request, const char *consumer,
                        struct json_object *body, struct reply *reply)
{
    if (check_consumer(store, request, consumer, body, reply) != 0)
        return -1;
    return add_consumer(plan, store, consumer, body, reply);
}

int allocation_plan_add_all(struct allocation_plan *plan, const struct store *store,
                            const struct request *request, struct json_object *bodies,
                            struct reply *reply)
{
    json_object_object_foreach (bodies, consumer, body) {
        if (check_consumer(store, request, consumer, body, reply) != 0)
            return -1;
    }
    json_object_object_foreach (bodies, uuid, wanted) {
        if (add_consumer(plan, store, uuid, wanted, reply) != 0)
            return -1;
    }
    return 0;
}
