#include "placement/server/store/graph_load.h"

#include <math.h>
#include <string.h>

#include "lib/lower_bound.h"
#include "lib/uuid.h"
#include "placement/server/message/uuid_like.h"

/* ---- columns ---- */

static const char *text(sqlite3_stmt *row, int column)
{
    return (const char *)sqlite3_column_text(row, column);
}

static int64_t number(sqlite3_stmt *row, int column)
{
    return sqlite3_column_int64(row, column);
}

/* Files that other programs have changed may have NULL where the schema forbids it. */
static int check_text(sqlite3_stmt *row, int column, const char *table,
                      struct error *err)
{
    return text(row, column)
               ? 0
               : error_set(err, ERROR_INVALID, "table %s, row %lld: %s is missing",
                           table, (long long)number(row, 0),
                           sqlite3_column_name(row, column));
}

static bool is_uuid(sqlite3_stmt *row, int column)
{
    char parsed[UUID_TEXT_SIZE];
    return text(row, column) && uuid_parse_text(text(row, column), parsed);
}

static int damaged(struct error *err, const char *table, int64_t id, const char *why)
{
    return error_set(err, ERROR_INVALID, "table %s, row %lld: %s", table, (long long)id,
                     why);
}

/* ---- looking up by id: in lists that are sorted by it ---- */

static struct resource_provider *provider_of(const struct graph *graph, int64_t id)
{
    size_t at =
        lower_bound(i, graph->providers.count, graph->providers.items[i]->id < id);
    bool found = at < graph->providers.count && graph->providers.items[at]->id == id;
    return found ? graph->providers.items[at] : NULL;
}

static struct resource_class *class_of(const struct graph *graph, int64_t id)
{
    size_t at = lower_bound(i, graph->class_count, graph->classes[i]->id < id);
    bool found = at < graph->class_count && graph->classes[at]->id == id;
    return found ? graph->classes[at] : NULL;
}

static struct trait *trait_of(const struct graph *graph, int64_t id)
{
    size_t at = lower_bound(i, graph->trait_count, graph->traits[i]->id < id);
    bool found = at < graph->trait_count && graph->traits[at]->id == id;
    return found ? graph->traits[at] : NULL;
}

/* ---- one function a table ---- */

static int take_class(sqlite3_stmt *row, void *context, struct error *err)
{
    if (check_text(row, 1, "resource_classes", err) != 0)
        return -1;
    graph_add_class(context, number(row, 0), text(row, 1), number(row, 2));
    return 0;
}

static int take_trait(sqlite3_stmt *row, void *context, struct error *err)
{
    if (check_text(row, 1, "traits", err) != 0)
        return -1;
    graph_add_trait(context, number(row, 0), text(row, 1), number(row, 2));
    return 0;
}

static int take_aggregate(sqlite3_stmt *row, void *context, struct error *err)
{
    if (!text(row, 1) || !uuid_like(text(row, 1), NULL) ||
        strlen(text(row, 1)) >= UUID_TEXT_SIZE)
        return damaged(err, "aggregates", number(row, 0), "the uuid is none");
    graph_add_aggregate(context, number(row, 0), text(row, 1));
    return 0;
}

static int take_provider(sqlite3_stmt *row, void *context, struct error *err)
{
    struct graph *graph = context;
    if (!is_uuid(row, 1))
        return damaged(err, "providers", number(row, 0), "the uuid is none");
    if (check_text(row, 2, "providers", err) != 0)
        return -1;
    if (number(row, 3) < 0)
        return damaged(err, "providers", number(row, 0), "the generation is negative");
    if (graph_provider(graph, text(row, 1)))
        return damaged(err, "providers", number(row, 0), "the uuid is there twice");
    struct resource_provider *provider =
        graph_append_provider(graph, number(row, 0), text(row, 1), text(row, 2));
    provider->generation = number(row, 3);
    provider->modified = number(row, 4);
    return 0;
}

/* Run after all providers are loaded: a parent may have a higher id than its child,
 * which was moved below it later. */
static int take_parent(sqlite3_stmt *row, void *context, struct error *err)
{
    struct resource_provider *provider = provider_of(context, number(row, 0));
    struct resource_provider *parent = provider_of(context, number(row, 1));
    if (!provider || !parent)
        return damaged(err, "providers", number(row, 0), "its parent is missing");
    provider->parent = parent;
    return 0;
}

static int take_inventory(sqlite3_stmt *row, void *context, struct error *err)
{
    struct resource_provider *provider = provider_of(context, number(row, 0));
    struct resource_class *class = class_of(context, number(row, 1));
    if (!provider || !class)
        return damaged(err, "inventories", number(row, 0),
                       "no such provider or resource class");
    struct inventory limits = {
        .total = number(row, 2),
        .reserved = number(row, 3),
        .min_unit = number(row, 4),
        .max_unit = number(row, 5),
        .step_size = number(row, 6),
        .allocation_ratio = sqlite3_column_double(row, 7),
    };
    if (limits.total < 0 || limits.total > PLACEMENT_MAX_AMOUNT ||
        limits.reserved < 0 || limits.reserved > PLACEMENT_MAX_AMOUNT ||
        limits.step_size < 1 || !isfinite(limits.allocation_ratio))
        return damaged(err, "inventories", number(row, 0), "numbers out of range");
    graph_add_inventory(provider, class, &limits, number(row, 8));
    return 0;
}

static int take_provider_trait(sqlite3_stmt *row, void *context, struct error *err)
{
    struct resource_provider *provider = provider_of(context, number(row, 0));
    struct trait *trait = trait_of(context, number(row, 1));
    if (!provider || !trait)
        return damaged(err, "provider_traits", number(row, 0),
                       "no such provider or trait");
    graph_append_trait(provider, trait);
    return 0;
}

static int take_provider_aggregate(sqlite3_stmt *row, void *context, struct error *err)
{
    struct resource_provider *provider = provider_of(context, number(row, 0));
    struct aggregate *aggregate =
        text(row, 1) ? graph_aggregate(context, text(row, 1)) : NULL;
    if (!provider || !aggregate)
        return damaged(err, "provider_aggregates", number(row, 0),
                       "no such provider or aggregate");
    graph_append_aggregate(provider, aggregate);
    return 0;
}

static int take_external_id(sqlite3_stmt *row, void *context, struct error *err)
{
    if (check_text(row, 1, "projects, users or consumer_types", err) != 0)
        return -1;
    graph_add_external_id(context, number(row, 0), text(row, 1));
    return 0;
}

static int take_consumer(sqlite3_stmt *row, void *context, struct error *err)
{
    struct graph *graph = context;
    if (check_text(row, 1, "consumers", err) != 0 ||
        check_text(row, 3, "consumers", err) != 0 ||
        check_text(row, 4, "consumers", err) != 0)
        return -1;
    /* Clients choose the uuids of consumers, and the API lets through some texts of
     * that length that are none. */
    if (strlen(text(row, 1)) != UUID_TEXT_SIZE - 1)
        return damaged(err, "consumers", number(row, 0), "the uuid has another length");
    struct consumer *consumer = graph_add_consumer(
        graph, number(row, 0), text(row, 1), graph_project(graph, text(row, 3)),
        graph_user(graph, text(row, 4)),
        text(row, 5) ? graph_consumer_type(graph, text(row, 5)) : NULL);
    consumer->generation = number(row, 2);
    return 0;
}

static int take_allocation(sqlite3_stmt *row, void *context, struct error *err)
{
    struct consumer *consumer =
        text(row, 0) ? graph_consumer(context, text(row, 0)) : NULL;
    struct resource_provider *provider = provider_of(context, number(row, 1));
    struct resource_class *class = class_of(context, number(row, 2));
    struct provider_inventory *inventory =
        provider && class ? provider_inventory_of(provider, class) : NULL;
    if (!consumer || !inventory)
        return damaged(err, "allocations", number(row, 1),
                       "no such consumer, or no inventory of that class");
    if (number(row, 3) < 1 || number(row, 3) > PLACEMENT_MAX_AMOUNT)
        return damaged(err, "allocations", number(row, 1),
                       "nothing is used, or more than there can be");
    graph_add_allocation(consumer, inventory, number(row, 3), number(row, 4));
    return 0;
}

static int load_providers(struct graph *graph, struct database *database,
                          struct error *err)
{
    if (database_each(database, SQL_LOAD_PROVIDERS, take_provider, graph, err) != 0 ||
        database_each(database, SQL_LOAD_PARENTS, take_parent, graph, err) != 0)
        return -1;
    const struct resource_provider *loop = graph_make_trees(graph);
    return loop ? damaged(err, "providers", loop->id, "it is below itself") : 0;
}

static int load(struct graph *graph, struct database *database, struct error *err)
{
    const struct {
        enum sql statement;
        int (*take)(sqlite3_stmt *row, void *context, struct error *err);
        void *context;
    } steps[] = {
        {SQL_LOAD_CLASSES, take_class, graph},
        {SQL_LOAD_TRAITS, take_trait, graph},
        {SQL_LOAD_AGGREGATES, take_aggregate, graph},
        {SQL_LOAD_INVENTORIES, take_inventory, graph},
        {SQL_LOAD_PROVIDER_TRAITS, take_provider_trait, graph},
        {SQL_LOAD_PROVIDER_AGGREGATES, take_provider_aggregate, graph},
        {SQL_LOAD_PROJECTS, take_external_id, &graph->projects},
        {SQL_LOAD_USERS, take_external_id, &graph->users},
        {SQL_LOAD_CONSUMER_TYPES, take_external_id, &graph->consumer_types},
        {SQL_LOAD_CONSUMERS, take_consumer, graph},
        {SQL_LOAD_ALLOCATIONS, take_allocation, graph},
    };
    if (load_providers(graph, database, err) != 0)
        return -1;
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
        if (database_each(database, steps[i].statement, steps[i].take, steps[i].context,
                          err) != 0)
            return -1;
    if (!graph->sharing)
        return error_set(err, ERROR_INVALID,
                         "table traits: MISC_SHARES_VIA_AGGREGATE is missing");
    return 0;
}

int graph_load(struct graph *graph, struct database *database, struct error *err)
{
    if (load(graph, database, err) == 0)
        return 0;
    graph_clear(graph);
    return -1;
}
