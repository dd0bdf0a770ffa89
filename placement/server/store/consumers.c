/* Changes of consumers and their allocations, for store.h. */
#include "placement/server/store/store.h"

int store_create_consumer(struct store *store, const char *uuid,
                          struct external_id *project, struct external_id *user,
                          struct external_id *type, int64_t generation,
                          struct consumer **out, struct error *err)
{
    if (store_sql(store, SQL_INSERT_CONSUMER, err, SQL_TEXT(uuid), SQL_INT(generation),
                  SQL_INT(project->id), SQL_INT(user->id),
                  SQL_ID(type ? type->id : 0)) != 0)
        return -1;
    *out = graph_add_consumer(&store->graph, database_last_id(store->database), uuid,
                              project, user, type);
    (*out)->generation = generation;
    return 0;
}

int store_update_consumer(struct store *store, struct consumer *consumer,
                          struct external_id *project, struct external_id *user,
                          struct external_id *type, int64_t generation,
                          struct error *err)
{
    if (store_sql(store, SQL_UPDATE_CONSUMER, err, SQL_INT(consumer->id),
                  SQL_INT(project->id), SQL_INT(user->id), SQL_ID(type ? type->id : 0),
                  SQL_INT(generation)) != 0)
        return -1;
    if (project != consumer->project)
        graph_set_project(consumer, project);
    consumer->user = user;
    consumer->type = type;
    consumer->generation = generation;
    return 0;
}

int store_delete_consumer(struct store *store, struct consumer *consumer,
                          struct error *err)
{
    if (store_clear_allocations(store, consumer, err) != 0 ||
        store_sql(store, SQL_DELETE_CONSUMER, err, SQL_INT(consumer->id)) != 0)
        return -1;
    graph_remove_consumer(&store->graph, consumer);
    return 0;
}

int store_add_allocation(struct store *store, struct consumer *consumer,
                         struct provider_inventory *inventory, int64_t used,
                         struct error *err)
{
    if (store_sql(store, SQL_INSERT_ALLOCATION, err, SQL_INT(consumer->id),
                  SQL_INT(inventory->provider->id), SQL_INT(inventory->class->id),
                  SQL_INT(used), SQL_INT(store->now)) != 0)
        return -1;
    graph_add_allocation(consumer, inventory, used, store->now);
    return 0;
}

int store_clear_allocations(struct store *store, struct consumer *consumer,
                            struct error *err)
{
    if (!consumer->allocations)
        return 0;
    if (store_sql(store, SQL_DELETE_ALLOCATIONS, err, SQL_INT(consumer->id)) != 0)
        return -1;
    graph_remove_allocations(consumer);
    return 0;
}
