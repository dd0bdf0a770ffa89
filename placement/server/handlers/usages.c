/* /resource_providers/{uuid}/usages and /usages. */
#include <stdlib.h>
#include <string.h>

#include "lib/xalloc.h"
#include "placement/server/handlers/handlers.h"

int usages_get_of_provider(struct store *store, const struct request *request,
                           struct reply *reply)
{
    const struct resource_provider *provider =
        handler_provider_quoted(store, request, ": ", reply);
    struct json_writer *w = &reply->body;
    if (!provider)
        return -1;
    json_write_begin_object(w);
    json_write_int_member(w, "resource_provider_generation", provider->generation);
    json_write_key(w, "usages");
    json_write_begin_object(w);
    for (size_t i = 0; i < provider->inventories.count; i++)
        json_write_int_member(w, provider->inventories.items[i]->class->name,
                              provider->inventories.items[i]->used);
    json_write_end_object(w);
    json_write_end_object(w);
    reply_last_modified(reply, request, 0);
    return 0;
}

/* ---- of a project ---- */

static const struct schema id_schema = {
    .type = SCHEMA_STRING, .min_length = 1, .max_length = 255, .length_first = true};
static const struct schema type_schema = {.type = SCHEMA_STRING,
                                          .pattern = &schema_usage_consumer_type,
                                          .min_length = 1,
                                          .max_length = 255};
static const struct schema query_schema_9 = {
    .type = SCHEMA_OBJECT,
    .properties = (const struct schema_property[]){{"project_id", &id_schema, true},
                                                   {"user_id", &id_schema},
                                                   {0}},
};
static const struct schema query_schema_38 = {
    .type = SCHEMA_OBJECT,
    .properties = (const struct schema_property[]){{"project_id", &id_schema, true},
                                                   {"user_id", &id_schema},
                                                   {"consumer_type", &type_schema},
                                                   {0}},
};

/* The sums of usage by the consumers of one type, or by all. */
struct usage_group {
    const char *name;
    int64_t consumers;
    struct usage {
        const struct resource_class *class;
        int64_t used;
    } * usages;
    size_t usage_count;
};

struct usage_sums {
    struct usage_group *groups;
    size_t count;
};

static void usage_sums_clear(struct usage_sums *sums)
{
    for (size_t i = 0; i < sums->count; i++)
        free(sums->groups[i].usages);
    free(sums->groups);
}

static struct usage_group *group_of(struct usage_sums *sums, const char *name)
{
    for (size_t i = 0; i < sums->count; i++)
        if (strcmp(sums->groups[i].name, name) == 0)
            return &sums->groups[i];
    struct usage_group *group = array_add(sums->groups, sums->count);
    group->name = name;
    return group;
}

static int add_consumer(struct usage_group *group, const struct consumer *consumer,
                        const struct request *request, struct reply *reply)
{
    group->consumers++;
    for (const struct allocation *a = consumer->allocations; a;
         a = a->next_of_consumer) {
        size_t i = 0;
        if (!handler_works(request, 1 + group->usage_count, reply))
            return -1;
        while (i < group->usage_count && group->usages[i].class != a->inventory->class)
            i++;
        if (i == group->usage_count)
            array_add(group->usages, group->usage_count)->class = a->inventory->class;
        group->usages[i].used += a->used;
    }
    return 0;
}

/* The group in which the consumer is counted; NULL when it is not asked for. Names of
 * types are in capitals, so that "all" and "unknown" cannot be types. */
static const char *group_name(const struct consumer *consumer, const char *wanted_type)
{
    const char *type = consumer->type ? consumer->type->name : "unknown";
    if (wanted_type && strcmp(wanted_type, "all") == 0)
        return "all";
    return !wanted_type || strcmp(wanted_type, type) == 0 ? type : NULL;
}

static void write_group(struct json_writer *w, const struct usage_group *group,
                        bool with_count)
{
    json_write_begin_object(w);
    for (size_t i = 0; i < group->usage_count; i++)
        json_write_int_member(w, group->usages[i].class->name, group->usages[i].used);
    if (with_count)
        json_write_int_member(w, "consumer_count", group->consumers);
    json_write_end_object(w);
}

/* Adds up the usages. The work is counted, as there may be many types and many classes.
 */
static int sum_up(const struct graph *graph, const struct request *request,
                  bool by_type, struct usage_sums *sums, struct reply *reply)
{
    const struct query *query = &request->query;
    const char *user = query_last(query, "user_id");
    const char *type = query_last(query, "consumer_type");
    const struct external_id *project =
        graph_project(graph, query_last(query, "project_id"));
    for (const struct consumer *c = project ? project->consumers : NULL; c;
         c = c->next) {
        const char *name = by_type ? group_name(c, type) : "all";
        if (!handler_works(request, 1 + sums->count, reply))
            return -1;
        if (c->allocations && name && (!user || strcmp(c->user->name, user) == 0) &&
            add_consumer(group_of(sums, name), c, request, reply) != 0)
            return -1;
    }
    return 0;
}

int usages_get_of_project(struct store *store, const struct request *request,
                          struct reply *reply)
{
    bool by_type = request_at_least(request, MICROVERSION_CONSUMER_TYPES);
    _cleanup_(usage_sums_clear) struct usage_sums sums = {0};
    struct json_writer *w = &reply->body;
    if (schema_check_query(by_type ? &query_schema_38 : &query_schema_9, request,
                           reply) != 0)
        return -1;
    if (sum_up(&store->graph, request, by_type, &sums, reply) != 0)
        return -1;
    json_write_begin_object(w);
    json_write_key(w, "usages");
    if (!by_type) {
        const struct usage_group nothing = {0};
        write_group(w, sums.count ? sums.groups : &nothing, false);
    } else {
        json_write_begin_object(w);
        for (size_t i = 0; i < sums.count; i++) {
            json_write_key(w, sums.groups[i].name);
            write_group(w, &sums.groups[i], true);
        }
        json_write_end_object(w);
    }
    json_write_end_object(w);
    reply_last_modified(reply, request, 0);
    return 0;
}
