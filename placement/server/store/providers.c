/* Changes of providers, their inventories, traits and aggregates, for store.h. */
#include <string.h>

#include "placement/server/store/store.h"

int store_create_provider(struct store *store, const char *uuid, const char *name,
                          struct resource_provider *parent,
                          struct resource_provider **out, struct error *err)
{
    if (store_sql(store, SQL_INSERT_PROVIDER, err, SQL_TEXT(uuid), SQL_TEXT(name),
                  SQL_ID(parent ? parent->id : 0), SQL_INT(store->now)) != 0)
        return -1;
    *out = graph_add_provider(&store->graph, database_last_id(store->database), uuid,
                              name, parent);
    (*out)->modified = store->now;
    return 0;
}

/* A new root changes all descendants, too: their time of change is set. */
static int touch_below(struct store *store, struct resource_provider *provider,
                       struct error *err)
{
    _cleanup_free_ struct resource_provider **members;
    size_t count = graph_list_below(provider, &members);
    for (size_t i = 0; i < count; i++) {
        if (store_sql(store, SQL_TOUCH_PROVIDER, err, SQL_INT(members[i]->id),
                      SQL_INT(store->now)) != 0)
            return -1;
        members[i]->modified = store->now;
    }
    return 0;
}

int store_update_provider(struct store *store, struct resource_provider *provider,
                          const char *name, struct resource_provider *parent,
                          struct error *err)
{
    const struct resource_provider *root = parent ? parent->root : provider;
    if (parent == provider->parent && strcmp(name, provider->name) == 0)
        return 0;
    if (store_sql(store, SQL_UPDATE_PROVIDER, err, SQL_INT(provider->id),
                  SQL_TEXT(name), SQL_ID(parent ? parent->id : 0),
                  SQL_INT(store->now)) != 0 ||
        (root != provider->root && touch_below(store, provider, err) != 0))
        return -1;
    graph_rename_provider(&store->graph, provider, name);
    if (parent != provider->parent)
        graph_move_provider(&store->graph, provider, parent);
    provider->modified = store->now;
    return 0;
}

int store_delete_provider(struct store *store, struct resource_provider *provider,
                          struct error *err)
{
    static const enum sql statements[] = {
        SQL_DELETE_PROVIDER_INVENTORIES,
        SQL_DELETE_PROVIDER_TRAITS,
        SQL_DELETE_PROVIDER_AGGREGATES,
        SQL_DELETE_PROVIDER,
    };
    for (size_t i = 0; i < sizeof statements / sizeof *statements; i++)
        if (store_sql(store, statements[i], err, SQL_INT(provider->id)) != 0)
            return -1;
    graph_remove_provider(&store->graph, provider);
    return 0;
}

int store_raise_generation(struct store *store, struct resource_provider *provider,
                           struct error *err)
{
    if (store_sql(store, SQL_SET_GENERATION, err, SQL_INT(provider->id),
                  SQL_INT(provider->generation + 1), SQL_INT(store->now)) != 0)
        return -1;
    provider->generation++;
    provider->modified = store->now;
    return 0;
}

int store_set_inventory(struct store *store, struct resource_provider *provider,
                        struct resource_class *class, const struct inventory *limits,
                        struct error *err)
{
    if (store_sql(store, SQL_PUT_INVENTORY, err, SQL_INT(provider->id),
                  SQL_INT(class->id), SQL_INT(limits->total), SQL_INT(limits->reserved),
                  SQL_INT(limits->min_unit), SQL_INT(limits->max_unit),
                  SQL_INT(limits->step_size), SQL_REAL(limits->allocation_ratio),
                  SQL_INT(store->now)) != 0)
        return -1;
    struct provider_inventory *inventory = provider_inventory_of(provider, class);
    if (!inventory) {
        graph_add_inventory(provider, class, limits, store->now);
        return 0;
    }
    inventory->limits = *limits;
    inventory->modified = store->now;
    return 0;
}

int store_remove_inventory(struct store *store, struct provider_inventory *inventory,
                           struct error *err)
{
    if (store_sql(store, SQL_DELETE_INVENTORY, err, SQL_INT(inventory->provider->id),
                  SQL_INT(inventory->class->id)) != 0)
        return -1;
    graph_remove_inventory(inventory);
    return 0;
}

int store_set_traits(struct store *store, struct resource_provider *provider,
                     struct trait *const *traits, size_t count, struct error *err)
{
    if (store_sql(store, SQL_DELETE_PROVIDER_TRAITS, err, SQL_INT(provider->id)) != 0)
        return -1;
    for (size_t i = 0; i < count; i++)
        if (store_sql(store, SQL_INSERT_PROVIDER_TRAIT, err, SQL_INT(provider->id),
                      SQL_INT(traits[i]->id)) != 0)
            return -1;
    graph_set_traits(provider, traits, count);
    return 0;
}

int store_set_aggregates(struct store *store, struct resource_provider *provider,
                         struct aggregate *const *aggregates, size_t count,
                         struct error *err)
{
    if (store_sql(store, SQL_DELETE_PROVIDER_AGGREGATES, err, SQL_INT(provider->id)) !=
        0)
        return -1;
    for (size_t i = 0; i < count; i++)
        if (store_sql(store, SQL_INSERT_PROVIDER_AGGREGATE, err, SQL_INT(provider->id),
                      SQL_INT(aggregates[i]->id)) != 0)
            return -1;
    graph_set_aggregates(provider, aggregates, count);
    return 0;
}
