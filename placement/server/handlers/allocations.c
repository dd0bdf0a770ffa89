/* /allocations and /allocations/{consumer_uuid}. */
#include "placement/server/handlers/allocation_plan.h"
#include "placement/server/schema/allocation_body.h"

#include <json-c/linkhash.h>
#include <string.h>

#include "placement/server/handlers/handlers.h"
#include "placement/server/message/uuid_like.h"

/* ---- get ---- */

static void write_resources(struct json_writer *w, const struct allocation **at)
{
    const struct resource_provider *provider = (*at)->inventory->provider;
    json_write_key(w, provider->uuid);
    json_write_begin_object(w);
    json_write_key(w, "resources");
    json_write_begin_object(w);
    /* The allocations of a consumer are grouped by provider. */
    for (; *at && (*at)->inventory->provider == provider; *at = (*at)->next_of_consumer)
        json_write_int_member(w, (*at)->inventory->class->name, (*at)->used);
    json_write_end_object(w);
    json_write_int_member(w, "generation", provider->generation);
    json_write_end_object(w);
}

static void write_consumer(struct json_writer *w, const struct consumer *consumer,
                           int microversion)
{
    if (microversion >= MICROVERSION_ALLOCATIONS_OBJECT) {
        json_write_string_member(w, "project_id", consumer->project->name);
        json_write_string_member(w, "user_id", consumer->user->name);
    }
    if (microversion >= MICROVERSION_CONSUMER_GENERATION)
        json_write_int_member(w, "consumer_generation", consumer->generation);
    if (microversion >= MICROVERSION_CONSUMER_TYPES)
        json_write_string_member(w, "consumer_type",
                                 consumer->type ? consumer->type->name : "unknown");
}

int allocations_get(struct store *store, const struct request *request,
                    struct reply *reply)
{
    const struct consumer *consumer =
        graph_consumer(&store->graph, request->path_items[0]);
    const struct allocation *at = consumer ? consumer->allocations : NULL;
    struct json_writer *w = &reply->body;
    int64_t modified = at ? at->created : 0;
    bool any = at;
    json_write_begin_object(w);
    json_write_key(w, "allocations");
    json_write_begin_object(w);
    while (at)
        write_resources(w, &at);
    json_write_end_object(w);
    if (any)
        write_consumer(w, consumer, request->microversion);
    json_write_end_object(w);
    reply_last_modified(reply, request, modified);
    return 0;
}

/* ---- put, post ---- */

/* Checks the plan and carries it out. `unknown` is the text before the name of a class
 * that does not exist. */
static int replace(struct store *store, struct allocation_plan *plan,
                   const char *unknown, struct reply *reply)
{
    _cleanup_free_ char *why = NULL;
    bool unknown_class;
    struct error err;
    if (allocation_plan_check(plan, NULL, 0, store->options.strict_capacity, &why,
                              &unknown_class) != 0)
        return unknown_class
                   ? reply_problem(reply, 400, NULL,
                                   "Unable to allocate inventory %s%s", unknown, why)
                   : reply_problem(reply, 409, NULL, "Unable to allocate inventory: %s",
                                   why);
    if (allocation_plan_apply(store, plan, &err) != 0)
        return handler_failed(reply, &err);
    return handler_no_content(reply);
}

int allocations_set(struct store *store, const struct request *request,
                    struct reply *reply)
{
    char consumer[UUID_TEXT_SIZE], unknown[80];
    _cleanup_json_ struct json_object *body = NULL;
    _cleanup_(allocation_plan_clear) struct allocation_plan plan = {0};
    if (!uuid_like(request->path_items[0], consumer))
        return reply_problem(reply, 400, NULL, "Malformed consumer_uuid: %s",
                             request->path_items[0]);
    if (schema_read_body(allocation_put_schema(request->microversion), request, &body,
                         reply) != 0 ||
        allocation_plan_add(&plan, store, request, consumer, body, reply) != 0)
        return -1;
    snprintf(unknown, sizeof unknown, "for consumer %s: ", consumer);
    return replace(store, &plan, unknown, reply);
}

int allocations_post(struct store *store, const struct request *request,
                     struct reply *reply)
{
    _cleanup_json_ struct json_object *body = NULL;
    _cleanup_(allocation_plan_clear) struct allocation_plan plan = {0};
    if (schema_read_body(allocation_post_schema(request->microversion), request, &body,
                         reply) != 0 ||
        allocation_plan_add_all(&plan, store, request, body, reply) != 0)
        return -1;
    return replace(store, &plan, "", reply);
}

/* ---- delete ---- */

/* As in upstream, the generations of the providers do not rise. */
int allocations_delete(struct store *store, const struct request *request,
                       struct reply *reply)
{
    const char *uuid = request->path_items[0];
    struct consumer *consumer = graph_consumer(&store->graph, uuid);
    struct error err;
    if (!consumer || !consumer->allocations)
        return reply_problem(reply, 404, NULL, "No allocations for consumer '%s'",
                             uuid);
    if (store_delete_consumer(store, consumer, &err) != 0)
        return handler_failed(reply, &err);
    return handler_no_content(reply);
}
