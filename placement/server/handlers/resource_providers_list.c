/* GET /resource_providers: all that pass the filters of the query. */
#include <stdlib.h>
#include <string.h>

#include "lib/xalloc.h"
#include "placement/server/candidates/match.h"
#include "placement/server/handlers/handlers.h"
#include "placement/server/handlers/resource_providers.h"
#include "placement/server/message/filters.h"

static const struct schema text_schema = {.type = SCHEMA_STRING};
static const struct schema uuid_schema = {.type = SCHEMA_STRING, .uuid = true};

/* The order is upstream's: of two invalid parameters the first is reported. */
static const struct {
    struct schema_property property;
    int since;
} parameters[] = {
    {{"name", &text_schema}, 0},
    {{"uuid", &uuid_schema}, 0},
    {{"member_of", &text_schema}, MICROVERSION_LIST_BY_AGGREGATE},
    {{"resources", &text_schema}, MICROVERSION_LIST_BY_RESOURCES},
    {{"in_tree", &uuid_schema}, MICROVERSION_NESTED_PROVIDERS},
    {{"required", &text_schema}, MICROVERSION_LIST_BY_TRAITS},
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

/* ---- the filters with their names looked up ---- */

static void find_traits(const struct graph *graph, const struct strlist *names,
                        struct wanted *wanted, struct trait_list *out)
{
    for (size_t i = 0; i < names->count; i++) {
        const struct trait *trait = graph_trait(graph, names->items[i]);
        if (trait)
            *array_add(out->items, out->count) = trait;
    }
    wanted->cost += 1 + out->count;
}

static void find_aggregates(const struct graph *graph, const struct strlist *uuids,
                            struct wanted *wanted, struct aggregate_list *out)
{
    candidates_find_aggregates(graph, uuids, out);
    wanted->cost += 1 + out->count;
}

/* Names that do not exist are left out here; check_names() decides whether they are an
 * error. */
static void look_up(const struct graph *graph, const struct filters *filters,
                    struct wanted *out)
{
    for (size_t i = 0; i < filters->required.count; i++)
        find_traits(graph, &filters->required.sets[i], out,
                    array_add(out->required, out->required_count));
    find_traits(graph, &filters->forbidden, out, &out->forbidden);
    for (size_t i = 0; i < filters->member_of.count; i++)
        find_aggregates(graph, &filters->member_of.sets[i], out,
                        array_add(out->member_of, out->member_of_count));
    find_aggregates(graph, &filters->not_member_of, out, &out->not_member_of);
    for (size_t i = 0; i < filters->amount_count; i++) {
        const struct amount *amount = &filters->amounts[i];
        const struct resource_class *class = graph_class(graph, amount->class_name);
        if (class)
            *array_add(out->amounts, out->amount_count) =
                (struct wanted_amount){.class = class, .amount = amount->amount};
    }
    out->cost += out->amount_count;
}

static bool passes(const struct resource_provider *provider,
                   const struct wanted *wanted)
{
    for (size_t i = 0; i < wanted->required_count; i++)
        if (!candidates_has_any_trait(provider, &wanted->required[i]))
            return false;
    if (candidates_has_any_trait(provider, &wanted->forbidden))
        return false;
    for (size_t i = 0; i < wanted->member_of_count; i++)
        if (!candidates_in_any_aggregate(provider, &wanted->member_of[i]))
            return false;
    if (candidates_in_any_aggregate(provider, &wanted->not_member_of))
        return false;
    for (size_t i = 0; i < wanted->amount_count; i++) {
        const struct provider_inventory *inventory =
            provider_inventory_of(provider, wanted->amounts[i].class);
        if (!inventory || !inventory_fits(inventory, wanted->amounts[i].amount))
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

/* Whether any provider passes the filters. True when there are no filters, even without
 * providers. */
static bool somebody_passes(const struct graph *graph, const struct wanted *wanted,
                            struct budget *budget)
{
    if (wanted->required_count + wanted->member_of_count == 0)
        return true;
    for (size_t i = 0; i < graph->providers.count && budget_spend(budget, wanted->cost);
         i++)
        if (passes(graph->providers.items[i], wanted))
            return true;
    return false;
}

static int refuse_trait(struct reply *reply, const char *name)
{
    return reply_problem(
        reply, 400, NULL,
        "Invalid trait(s) in \"required\" parameter: No such trait(s): %s.", name);
}

/* Upstream applies one filter after the other. Once no provider is left, it no longer
 * checks whether the names in the next filters exist. *empty tells that this is the
 * case. */
static int check_names(const struct graph *graph, const struct filters *filters,
                       const struct wanted *wanted, struct budget *budget, bool *empty,
                       struct reply *reply)
{
    struct wanted before = {.required = wanted->required,
                            .required_count = wanted->required_count,
                            .cost = wanted->cost};
    const char *unknown = unknown_required(graph, filters);
    if (unknown)
        return refuse_trait(reply, unknown);
    unknown = unknown_trait(graph, &filters->forbidden);
    *empty = unknown && !somebody_passes(graph, &before, budget);
    if (unknown && !*empty)
        return refuse_trait(reply, unknown);
    before.member_of = wanted->member_of;
    before.member_of_count = wanted->member_of_count;
    unknown = *empty ? NULL : unknown_class(graph, filters);
    *empty |= unknown && !somebody_passes(graph, &before, budget);
    if (unknown && !*empty)
        return reply_problem(reply, 400, NULL,
                             "Invalid resource class in resources parameter: No such "
                             "resource class %s.",
                             unknown);
    return 0;
}

/* ---- where to look: what the query names directly, else everywhere ---- */

/* Finds the providers to look at. `one` is memory for a list of one provider. False
 * when in_tree names no provider: the reply is empty. */
static bool look_at(const struct graph *graph, const struct query *query,
                    struct provider_list *list, struct resource_provider **one)
{
    const char *uuid = query_last(query, "uuid"), *name = query_last(query, "name");
    const char *in_tree = query_last(query, "in_tree");
    const struct resource_provider *member =
        in_tree ? graph_provider(graph, in_tree) : NULL;
    if (in_tree && !member)
        return false;
    *list = member ? member->root->tree : graph->providers;
    if (!uuid && (!name || !*name))
        return true;
    *one = uuid ? graph_provider(graph, uuid) : graph_provider_by_name(graph, name);
    bool fits = *one && (!name || !*name || strcmp((*one)->name, name) == 0) &&
                (!member || (*one)->root == member->root);
    *list = (struct provider_list){.items = one, .count = fits};
    return true;
}

static int write_passing(struct reply *reply, const struct request *request,
                         const struct provider_list *list, const struct wanted *wanted)
{
    int64_t modified = 0;
    for (size_t i = 0; i < list->count; i++) {
        const struct resource_provider *provider = list->items[i];
        if (!handler_works(request, wanted->cost, reply))
            return -1;
        if (!passes(provider, wanted))
            continue;
        resource_provider_write(&reply->body, provider, request->microversion);
        if (provider->modified > modified)
            modified = provider->modified;
    }
    reply_last_modified(reply, request, modified);
    return 0;
}

int resource_providers_list(struct store *store, const struct request *request,
                            struct reply *reply)
{
    const struct graph *graph = &store->graph;
    _cleanup_(filters_clear) struct filters filters = {0};
    _cleanup_(candidates_wanted_clear) struct wanted wanted = {.cost = 1};
    struct provider_list list = {0};
    struct resource_provider *one;
    if (read_filters(request, &filters, reply) != 0)
        return -1;
    look_up(graph, &filters, &wanted);
    bool empty = !look_at(graph, &request->query, &list, &one);
    if (!empty &&
        check_names(graph, &filters, &wanted, request->budget, &empty, reply) != 0)
        return -1;
    if (empty)
        list.count = 0;
    json_write_begin_object(&reply->body);
    json_write_key(&reply->body, "resource_providers");
    json_write_begin_array(&reply->body);
    if (!handler_works(request, 1, reply) ||
        write_passing(reply, request, &list, &wanted) != 0)
        return -1;
    json_write_end_array(&reply->body);
    json_write_end_object(&reply->body);
    return 0;
}
