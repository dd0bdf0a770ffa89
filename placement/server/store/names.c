/* Changes of resource classes, traits, aggregates and external ids, for store.h. */
#include <string.h>

#include "placement/server/store/store.h"

#define FIRST_CUSTOM_CLASS 10000

int store_create_class(struct store *store, const char *name,
                       struct resource_class **out, struct error *err)
{
    const struct graph *graph = &store->graph;
    int64_t last = graph->classes[graph->class_count - 1]->id;
    int64_t id = last < FIRST_CUSTOM_CLASS ? FIRST_CUSTOM_CLASS : last + 1;
    if (store_sql(store, SQL_INSERT_CLASS, err, SQL_INT(id), SQL_TEXT(name),
                  SQL_INT(store->now)) != 0)
        return -1;
    *out = graph_add_class(&store->graph, id, name, store->now);
    return 0;
}

int store_rename_class(struct store *store, struct resource_class *class,
                       const char *name, struct error *err)
{
    if (strcmp(name, class->name) == 0)
        return 0;
    if (store_sql(store, SQL_RENAME_CLASS, err, SQL_INT(class->id), SQL_TEXT(name),
                  SQL_INT(store->now)) != 0)
        return -1;
    graph_rename_class(&store->graph, class, name, store->now);
    return 0;
}

int store_delete_class(struct store *store, struct resource_class *class,
                       struct error *err)
{
    if (store_sql(store, SQL_DELETE_CLASS, err, SQL_INT(class->id)) != 0)
        return -1;
    graph_remove_class(&store->graph, class);
    return 0;
}

int store_create_trait(struct store *store, const char *name, struct trait **out,
                       struct error *err)
{
    if (store_sql(store, SQL_INSERT_TRAIT, err, SQL_TEXT(name), SQL_INT(store->now)) !=
        0)
        return -1;
    *out = graph_add_trait(&store->graph, database_last_id(store->database), name,
                           store->now);
    return 0;
}

int store_delete_trait(struct store *store, struct trait *trait, struct error *err)
{
    if (store_sql(store, SQL_DELETE_TRAIT, err, SQL_INT(trait->id)) != 0)
        return -1;
    graph_remove_trait(&store->graph, trait);
    return 0;
}

int store_ensure_aggregate(struct store *store, const char *uuid,
                           struct aggregate **out, struct error *err)
{
    *out = graph_aggregate(&store->graph, uuid);
    if (*out)
        return 0;
    if (store_sql(store, SQL_INSERT_AGGREGATE, err, SQL_TEXT(uuid)) != 0)
        return -1;
    *out = graph_add_aggregate(&store->graph, database_last_id(store->database), uuid);
    return 0;
}

static int ensure_external_id(struct store *store, struct map *map, enum sql insert,
                              const char *name, struct external_id **out,
                              struct error *err)
{
    *out = map_owner(map_find(map, name), struct external_id, by_name);
    if (*out)
        return 0;
    if (store_sql(store, insert, err, SQL_TEXT(name)) != 0)
        return -1;
    *out = graph_add_external_id(map, database_last_id(store->database), name);
    return 0;
}

int store_ensure_project(struct store *store, const char *name,
                         struct external_id **out, struct error *err)
{
    return ensure_external_id(store, &store->graph.projects, SQL_INSERT_PROJECT, name,
                              out, err);
}

int store_ensure_user(struct store *store, const char *name, struct external_id **out,
                      struct error *err)
{
    return ensure_external_id(store, &store->graph.users, SQL_INSERT_USER, name, out,
                              err);
}

int store_ensure_consumer_type(struct store *store, const char *name,
                               struct external_id **out, struct error *err)
{
    return ensure_external_id(store, &store->graph.consumer_types,
                              SQL_INSERT_CONSUMER_TYPE, name, out, err);
}
