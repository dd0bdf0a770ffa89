/* GET /resource_providers: all that pass the filters of the query. */
#include <string.h>

#include "placement/server/handlers/handlers.h"
#include "placement/server/handlers/resource_providers.h"
#include "placement/server/message/filters.h"

static const struct schema text_schema = {.type = SCHEMA_STRING};
static const struct schema uuid_schema = {.type = SCHEMA_STRING, .uuid = true};

/* In upstream's order, as of two that are bad the first is told. */
static const struct {
    struct schema_property property;
    int since;
} parameters[] = {
    {{"name", &text_schema}, 0},      {{"uuid", &uuid_schema}, 0},
    {{"member_of", &text_schema}, 3}, {{"resources", &text_schema}, 4},
    {{"in_tree", &uuid_schema}, 14},  {{"required", &text_schema}, 18},
};
#define PARAMETER_COUNT (sizeof parameters / sizeof *parameters)

static int check_query(const struct request *request, struct reply *reply)
{
    struct schema_property known[PARAMETER_COUNT + 1] = {0};
    for (size_t i = 0, count = 0; i < PARAMETER_COUNT; i++)
        if (request_at_least(request, parameters[i].since))
            known[count++] = parameters[i].property;
    const struct schema schema = {.type = SCHEMA_OBJECT, .properties = known};
    return schema_check_query(&schema, request, reply);
}

static int read_filters(const struct request *request, struct filters *filters,
                        struct reply *reply)
{
    const struct query *query = &request->query;
    const char *resources = query_last(query, "resources");
    if (check_query(request, reply) != 0)
        return -1;
    if (filters_read_member_of(filters, query, "", request->microversion, reply) != 0 ||
        filters_read_required(filters, query, "", request->microversion, reply) != 0)
        return -1;
    return resources ? filters_read_resources(filters, resources, reply) : 0;
}

/* ---- one provider ---- */

static bool has_any_trait(const struct graph *graph, const struct node *node,
                          const struct strlist *names)
{
    for (size_t i = 0; i < names->count; i++)
        if (node_has_trait(node, graph_trait(graph, names->items[i])))
            return true;
    return false;
}

static bool in_any_aggregate(const struct graph *graph, const struct node *node,
                             const struct strlist *uuids)
{
    for (size_t i = 0; i < uuids->count; i++) {
        const struct aggregate *aggregate = graph_aggregate(graph, uuids->items[i]);
        if (aggregate && node_in_aggregate(node, aggregate))
            return true;
    }
    return false;
}

static bool passes(const struct graph *graph, const struct node *node,
                   const struct filters *filters)
{
    for (size_t i = 0; i < filters->required.count; i++)
        if (!has_any_trait(graph, node, &filters->required.sets[i]))
            return false;
    if (has_any_trait(graph, node, &filters->forbidden))
        return false;
    for (size_t i = 0; i < filters->member_of.count; i++)
        if (!in_any_aggregate(graph, node, &filters->member_of.sets[i]))
            return false;
    if (in_any_aggregate(graph, node, &filters->not_member_of))
        return false;
    for (size_t i = 0; i < filters->amount_count; i++) {
        const struct stock *stock =
            node_stock(node, graph_class(graph, filters->amounts[i].class_name));
        if (!stock || !stock_fits(stock, filters->amounts[i].amount))
            return false;
    }
    return true;
}

/* ---- names that there must be ---- */

static const char *unknown_trait(const struct graph *graph, const struct strlist *names)
{
    for (size_t i = 0; i < names->count; i++)
        if (!graph_trait(graph, names->items[i]))
            return names->items[i];
    return NULL;
}

static const char *unknown_required(const struct graph *graph,
                                    const struct filters *filters)
{
    for (size_t i = 0; i < filters->required.count; i++) {
        const char *unknown = unknown_trait(graph, &filters->required.sets[i]);
        if (unknown)
            return unknown;
    }
    return NULL;
}

static const char *unknown_class(const struct graph *graph,
                                 const struct filters *filters)
{
    for (size_t i = 0; i < filters->amount_count; i++)
        if (!graph_class(graph, filters->amounts[i].class_name))
            return filters->amounts[i].class_name;
    return NULL;
}

/* Also where there is nobody but nothing is asked. */
static bool somebody_passes(const struct graph *graph, const struct filters *filters)
{
    if (filters->required.count + filters->member_of.count == 0)
        return true;
    for (size_t i = 0; i < graph->nodes.count; i++)
        if (passes(graph, graph->nodes.items[i], filters))
            return true;
    return false;
}

static int refuse_trait(struct reply *reply, const char *name)
{
    return reply_problem(
        reply, 400, NULL,
        "Invalid trait(s) in \"required\" parameter: No such trait(s): %s.", name);
}

/* Upstream looks at one filter after the other, and where nobody passes one it does not
 * look whether the names in the next are known. *empty: so it is here. */
static int check_names(const struct graph *graph, const struct filters *filters,
                       bool *empty, struct reply *reply)
{
    struct filters before = {.required = filters->required};
    const char *unknown = unknown_required(graph, filters);
    if (unknown)
        return refuse_trait(reply, unknown);
    unknown = unknown_trait(graph, &filters->forbidden);
    *empty = unknown && !somebody_passes(graph, &before);
    if (unknown && !*empty)
        return refuse_trait(reply, unknown);
    before.member_of = filters->member_of;
    unknown = *empty ? NULL : unknown_class(graph, filters);
    *empty |= unknown && !somebody_passes(graph, &before);
    if (unknown && !*empty)
        return reply_problem(reply, 400, NULL,
                             "Invalid resource class in resources parameter: No such "
                             "resource class %s.",
                             unknown);
    return 0;
}

/* ---- where to look: what the query names directly, else everywhere ---- */

/* `one` holds a list of a single provider. False: there is no such tree, and nothing
 * else is looked at. */
static bool look_at(const struct graph *graph, const struct query *query,
                    struct node_list *list, struct node **one)
{
    const char *uuid = query_last(query, "uuid"), *name = query_last(query, "name");
    const char *in_tree = query_last(query, "in_tree");
    const struct node *member = in_tree ? graph_node(graph, in_tree) : NULL;
    if (in_tree && !member)
        return false;
    *list = member ? member->root->tree : graph->nodes;
    if (!uuid && (!name || !*name))
        return true;
    *one = uuid ? graph_node(graph, uuid) : graph_node_by_name(graph, name);
    bool fits = *one && (!name || !*name || strcmp((*one)->name, name) == 0) &&
                (!member || (*one)->root == member->root);
    *list = (struct node_list){.items = one, .count = fits};
    return true;
}

static void write_passing(struct reply *reply, const struct request *request,
                          const struct graph *graph, const struct node_list *list,
                          const struct filters *filters)
{
    int64_t modified = 0;
    for (size_t i = 0; i < list->count; i++) {
        const struct node *node = list->items[i];
        if (!passes(graph, node, filters))
            continue;
        provider_write(&reply->body, node, request->microversion);
        if (node->modified > modified)
            modified = node->modified;
    }
    reply_last_modified(reply, request, modified);
}

int resource_providers_list(struct store *store, const struct request *request,
                            struct reply *reply)
{
    const struct graph *graph = &store->graph;
    _cleanup_(filters_clear) struct filters filters = {0};
    struct node_list list = {0};
    struct node *one;
    if (read_filters(request, &filters, reply) != 0)
        return -1;
    bool empty = !look_at(graph, &request->query, &list, &one);
    if (!empty && check_names(graph, &filters, &empty, reply) != 0)
        return -1;
    if (empty)
        list.count = 0;
    json_write_begin_object(&reply->body);
    json_write_key(&reply->body, "resource_providers");
    json_write_begin_array(&reply->body);
    write_passing(reply, request, graph, &list, &filters);
    json_write_end_array(&reply->body);
    json_write_end_object(&reply->body);
    return 0;
}
