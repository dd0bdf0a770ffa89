/* Providers and what they have. */
#include <string.h>

#include "placement/server/store/store.h"

int store_create_provider(struct store *store, const char *uuid, const char *name,
                          struct node *parent, struct node **out, struct error *err)
{
    if (store_sql(store, SQL_INSERT_PROVIDER, err, SQL_TEXT(uuid), SQL_TEXT(name),
                  SQL_ID(parent ? parent->id : 0), SQL_INT(store->now)) != 0)
        return -1;
    *out = graph_add_node(&store->graph, database_last_id(store->database), uuid, name,
                          parent);
    (*out)->modified = store->now;
    return 0;
}

/* Another root is a change of all that is below, too. */
static int touch_below(struct store *store, struct node *node, struct error *err)
{
    _cleanup_free_ struct node **members;
    size_t count = graph_list_below(node, &members);
    for (size_t i = 0; i < count; i++) {
        if (store_sql(store, SQL_TOUCH_PROVIDER, err, SQL_INT(members[i]->id),
                      SQL_INT(store->now)) != 0)
            return -1;
        members[i]->modified = store->now;
    }
    return 0;
}

int store_update_provider(struct store *store, struct node *node, const char *name,
                          struct node *parent, struct error *err)
{
    const struct node *root = parent ? parent->root : node;
    if (parent == node->parent && strcmp(name, node->name) == 0)
        return 0;
    if (store_sql(store, SQL_UPDATE_PROVIDER, err, SQL_INT(node->id), SQL_TEXT(name),
                  SQL_ID(parent ? parent->id : 0), SQL_INT(store->now)) != 0 ||
        (root != node->root && touch_below(store, node, err) != 0))
        return -1;
    graph_rename_node(&store->graph, node, name);
    if (parent != node->parent)
        graph_move_node(&store->graph, node, parent);
    node->modified = store->now;
    return 0;
}

int store_delete_provider(struct store *store, struct node *node, struct error *err)
{
    static const enum sql statements[] = {
        SQL_DELETE_PROVIDER_INVENTORIES,
        SQL_DELETE_PROVIDER_TRAITS,
        SQL_DELETE_PROVIDER_AGGREGATES,
        SQL_DELETE_PROVIDER,
    };
    for (size_t i = 0; i < sizeof statements / sizeof *statements; i++)
        if (store_sql(store, statements[i], err, SQL_INT(node->id)) != 0)
            return -1;
    graph_remove_node(&store->graph, node);
    return 0;
}

int store_raise_generation(struct store *store, struct node *node, struct error *err)
{
    if (store_sql(store, SQL_SET_GENERATION, err, SQL_INT(node->id),
                  SQL_INT(node->generation + 1), SQL_INT(store->now)) != 0)
        return -1;
    node->generation++;
    node->modified = store->now;
    return 0;
}

int store_set_stock(struct store *store, struct node *node,
                    struct resource_class *class, const struct inventory *limits,
                    struct error *err)
{
    if (store_sql(store, SQL_PUT_INVENTORY, err, SQL_INT(node->id), SQL_INT(class->id),
                  SQL_INT(limits->total), SQL_INT(limits->reserved),
                  SQL_INT(limits->min_unit), SQL_INT(limits->max_unit),
                  SQL_INT(limits->step_size), SQL_REAL(limits->allocation_ratio),
                  SQL_INT(store->now)) != 0)
        return -1;
    struct stock *stock = node_stock(node, class);
    if (!stock) {
        graph_add_stock(node, class, limits, store->now);
        return 0;
    }
    stock->limits = *limits;
    stock->modified = store->now;
    return 0;
}

int store_remove_stock(struct store *store, struct stock *stock, struct error *err)
{
    if (store_sql(store, SQL_DELETE_INVENTORY, err, SQL_INT(stock->node->id),
                  SQL_INT(stock->class->id)) != 0)
        return -1;
    graph_remove_stock(stock);
    return 0;
}

int store_set_traits(struct store *store, struct node *node,
                     struct trait *const *traits, size_t count, struct error *err)
{
    if (store_sql(store, SQL_DELETE_PROVIDER_TRAITS, err, SQL_INT(node->id)) != 0)
        return -1;
    for (size_t i = 0; i < count; i++)
        if (store_sql(store, SQL_INSERT_PROVIDER_TRAIT, err, SQL_INT(node->id),
                      SQL_INT(traits[i]->id)) != 0)
            return -1;
    graph_set_traits(node, traits, count);
    return 0;
}

int store_set_aggregates(struct store *store, struct node *node,
                         struct aggregate *const *aggregates, size_t count,
                         struct error *err)
{
    if (store_sql(store, SQL_DELETE_PROVIDER_AGGREGATES, err, SQL_INT(node->id)) != 0)
        return -1;
    for (size_t i = 0; i < count; i++)
        if (store_sql(store, SQL_INSERT_PROVIDER_AGGREGATE, err, SQL_INT(node->id),
                      SQL_INT(aggregates[i]->id)) != 0)
            return -1;
    graph_set_aggregates(node, aggregates, count);
    return 0;
}
