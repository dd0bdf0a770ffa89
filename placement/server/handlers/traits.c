/* /traits and what is below it. */
#include <sqlite3.h>
#include <string.h>
#include <strings.h>

#include "lib/strlist.h"
#include "lib/xalloc.h"
#include "placement/server/handlers/handlers.h"

static const struct schema text_schema = {.type = SCHEMA_STRING};
static const struct schema query_schema = {
    .type = SCHEMA_OBJECT,
    .properties = (const struct schema_property[]){{"name", &text_schema},
                                                   {"associated", &text_schema},
                                                   {0}},
};

/* ---- the list ---- */

/* The filters of GET /traits; all zero selects all traits. */
struct trait_filter {
    struct strlist names; /* of "in:" */
    bool by_name;
    char *
        like; /* "startswith:", as SQL's LIKE: '%' and '_' are wild, case is the same */
    bool by_use, used;
};

static void trait_filter_clear(struct trait_filter *filter)
{
    strlist_clear(&filter->names);
    free(filter->like);
}

static int read_name_filter(struct trait_filter *filter, const char *value,
                            struct reply *reply)
{
    const char *colon = strchr(value, ':');
    if (!colon)
        return reply_problem(
            reply, 400, NULL,
            "Badly formatted name parameter. Expected name query string "
            "parameter in form: "
            "?name=[in|startswith]:[name1,name2|prefix]. Got: \"%s\"",
            value);
    if (strncmp(value, "in:", 3) == 0) {
        filter->by_name = true;
        /* blanks belong to the names */
        filter->names = strlist_split_exact(colon + 1, ',');
        strlist_sort_unique(&filter->names);
    } else if (strncmp(value, "startswith:", 11) == 0) {
        filter->like = xasprintf("%s%%", colon + 1);
    }
    /* As in upstream, other operators filter nothing. */
    return 0;
}

static int read_filter(const struct request *request, struct trait_filter *filter,
                       struct reply *reply)
{
    const char *name = query_last(&request->query, "name");
    const char *associated = query_last(&request->query, "associated");
    if (schema_check_query(&query_schema, request, reply) != 0)
        return -1;
    if (name && read_name_filter(filter, name, reply) != 0)
        return -1;
    if (!associated)
        return 0;
    filter->by_use = true;
    filter->used = strcasecmp(associated, "true") == 0;
    if (filter->used || strcasecmp(associated, "false") == 0)
        return 0;
    return reply_problem(reply, 400, NULL,
                         "The query parameter \"associated\" only accepts \"true\" or "
                         "\"false\"");
}

static bool passes(const struct trait_filter *filter, const struct trait *trait)
{
    return (!filter->by_name || strlist_sorted_contains(&filter->names, trait->name)) &&
           (!filter->like || sqlite3_strlike(filter->like, trait->name, 0) == 0) &&
           (!filter->by_use || (trait->providers.count > 0) == filter->used);
}

/* Each '%' of a LIKE may be tried at each character of a name. */
static uint64_t filter_cost(const struct trait_filter *filter)
{
    return filter->like ? 1 + strlen(filter->like) : 1;
}

int traits_list(struct store *store, const struct request *request, struct reply *reply)
{
    const struct graph *graph = &store->graph;
    _cleanup_(trait_filter_clear) struct trait_filter filter = {0};
    int64_t modified = 0;
    if (read_filter(request, &filter, reply) != 0)
        return -1;
    json_write_begin_object(&reply->body);
    json_write_key(&reply->body, "traits");
    json_write_begin_array(&reply->body);
    for (size_t i = 0; i < graph->trait_count; i++) {
        const struct trait *trait = graph->traits[i];
        if (!handler_works(request, filter_cost(&filter), reply))
            return -1;
        if (!passes(&filter, trait))
            continue;
        json_write_string(&reply->body, trait->name);
        if (trait->modified > modified)
            modified = trait->modified;
    }
    json_write_end_array(&reply->body);
    json_write_end_object(&reply->body);
    reply_last_modified(reply, request, modified);
    return 0;
}

/* ---- one ---- */

static struct trait *named_trait(struct store *store, const struct request *request,
                                 struct reply *reply)
{
    struct trait *trait = graph_trait(&store->graph, request->path_items[0]);
    if (!trait)
        reply_problem(reply, 404, NULL, "No such trait(s): %s.",
                      request->path_items[0]);
    return trait;
}

int trait_get(struct store *store, const struct request *request, struct reply *reply)
{
    const struct trait *trait = named_trait(store, request, reply);
    if (!trait)
        return -1;
    reply_last_modified(reply, request, trait->modified);
    return handler_no_content(reply);
}

int trait_ensure(struct store *store, const struct request *request,
                 struct reply *reply)
{
    const char *name = request->path_items[0];
    struct trait *trait = graph_trait(&store->graph, name);
    struct error err;
    if (!schema_custom_name.matches(name) || strlen(name) > PLACEMENT_MAX_NAME)
        return reply_problem(
            reply, 400, NULL,
            "The trait is invalid. A valid trait must be no longer than "
            "255 characters, start with the prefix \"CUSTOM_\" and use "
            "following characters: \"A\"-\"Z\", \"0\"-\"9\" and \"_\"");
    reply->status = trait ? 204 : 201;
    if (!trait && store_create_trait(store, name, &trait, &err) != 0)
        return handler_failed(reply, &err);
    reply->location = xasprintf("/traits/%s", name);
    reply_last_modified(reply, request, trait->modified);
    return 0;
}

int trait_delete(struct store *store, const struct request *request,
                 struct reply *reply)
{
    struct trait *trait = named_trait(store, request, reply);
    struct error err;
    if (!trait)
        return -1;
    if (!schema_custom_name.matches(trait->name))
        return reply_problem(reply, 400, NULL, "Cannot delete standard trait %s.",
                             trait->name);
    if (trait->providers.count > 0)
        return reply_problem(reply, 409, NULL,
                             "The trait %s is in use by a resource provider.",
                             trait->name);
    if (store_delete_trait(store, trait, &err) != 0)
        return handler_failed(reply, &err);
    return handler_no_content(reply);
}
