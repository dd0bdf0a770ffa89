/* Changing the graph. Lists stay sorted by id; new things have the highest ids, so that
 * adding is mostly appending. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "lib/lower_bound.h"
#include "lib/xalloc.h"
#include "placement/server/graph/graph.h"

/* ---- sorted lists ---- */

static size_t node_place(const struct node_list *list, int64_t id)
{
    if (list->count > 0 && list->items[list->count - 1]->id < id)
        return list->count;
    return lower_bound(i, list->count, list->items[i]->id < id);
}

bool node_list_contains(const struct node_list *list, const struct node *node)
{
    size_t at = node_place(list, node->id);
    return at < list->count && list->items[at] == node;
}

/* Makes room for one at `at` in an array of pointers. */
static void *open_gap(void *items, size_t *count, size_t *room, size_t at)
{
    if (*count == *room) {
        *room = *room ? *room * 2 : 4;
        items = xreallocarray(items, *room, sizeof(void *));
    }
    void **pointers = items;
    memmove(pointers + at + 1, pointers + at, (*count - at) * sizeof(void *));
    (*count)++;
    return items;
}

static void close_gap(void *items, size_t *count, size_t at)
{
    void **pointers = items;
    (*count)--;
    memmove(pointers + at, pointers + at + 1, (*count - at) * sizeof(void *));
}

void node_list_add(struct node_list *list, struct node *node)
{
    size_t at = node_place(list, node->id);
    list->items = open_gap(list->items, &list->count, &list->room, at);
    list->items[at] = node;
}

void node_list_remove(struct node_list *list, struct node *node)
{
    assert(node_list_contains(list, node));
    close_gap(list->items, &list->count, node_place(list, node->id));
}

static void node_list_clear(struct node_list *list)
{
    free(list->items);
    *list = (struct node_list){0};
}

/* The list of a class is by node id, that of a node by class id. */
static int64_t id_in(const struct stock *stock, const struct stock_list *list)
{
    return list == &stock->class->stocks ? stock->node->id : stock->class->id;
}

static size_t stock_place(const struct stock_list *list, const struct stock *stock)
{
    int64_t id = id_in(stock, list);
    return lower_bound(i, list->count, id_in(list->items[i], list) < id);
}

static void stock_list_add(struct stock_list *list, struct stock *stock)
{
    size_t at = stock_place(list, stock);
    list->items = open_gap(list->items, &list->count, &list->room, at);
    list->items[at] = stock;
}

static void stock_list_remove(struct stock_list *list, const struct stock *stock)
{
    close_gap(list->items, &list->count, stock_place(list, stock));
}

/* ---- names ---- */

struct resource_class *graph_add_class(struct graph *graph, int64_t id,
                                       const char *name, int64_t modified)
{
    struct resource_class *class = xcalloc(1, sizeof *class);
    class->id = id;
    class->name = xstrdup(name);
    class->modified = modified;
    *array_add(graph->classes, graph->class_count) = class;
    map_add(&graph->classes_by_name, &class->by_name, class->name);
    return class;
}

void graph_rename_class(struct graph *graph, struct resource_class *class,
                        const char *name, int64_t modified)
{
    char *copy = xstrdup(name);
    map_remove(&graph->classes_by_name, &class->by_name);
    free(class->name);
    class->name = copy;
    class->modified = modified;
    map_add(&graph->classes_by_name, &class->by_name, class->name);
}

static void class_free(struct resource_class *class)
{
    free(class->stocks.items);
    free(class->name);
    free(class);
}

void graph_remove_class(struct graph *graph, struct resource_class *class)
{
    assert(class->stocks.count == 0);
    size_t at = 0;
    while (graph->classes[at] != class)
        at++;
    close_gap(graph->classes, &graph->class_count, at);
    map_remove(&graph->classes_by_name, &class->by_name);
    class_free(class);
}

struct trait *graph_add_trait(struct graph *graph, int64_t id, const char *name,
                              int64_t modified)
{
    struct trait *trait = xcalloc(1, sizeof *trait);
    trait->id = id;
    trait->name = xstrdup(name);
    trait->modified = modified;
    *array_add(graph->traits, graph->trait_count) = trait;
    map_add(&graph->traits_by_name, &trait->by_name, trait->name);
    if (strcmp(name, "MISC_SHARES_VIA_AGGREGATE") == 0)
        graph->sharing = trait;
    return trait;
}

static void trait_free(struct trait *trait)
{
    node_list_clear(&trait->nodes);
    free(trait->name);
    free(trait);
}

void graph_remove_trait(struct graph *graph, struct trait *trait)
{
    assert(trait->nodes.count == 0);
    size_t at = 0;
    while (graph->traits[at] != trait)
        at++;
    close_gap(graph->traits, &graph->trait_count, at);
    map_remove(&graph->traits_by_name, &trait->by_name);
    trait_free(trait);
}

struct aggregate *graph_add_aggregate(struct graph *graph, int64_t id, const char *uuid)
{
    struct aggregate *aggregate = xcalloc(1, sizeof *aggregate);
    aggregate->id = id;
    uuid_text_copy(aggregate->uuid, uuid);
    map_add(&graph->aggregates, &aggregate->by_uuid, aggregate->uuid);
    return aggregate;
}

/* ---- nodes ---- */

static void enter_tree(struct graph *graph, struct node *node, struct node *parent)
{
    node->parent = parent;
    node->root = parent ? parent->root : node;
    if (parent)
        parent->child_count++;
    else
        node_list_add(&graph->roots, node);
    node_list_add(&node->root->tree, node);
}

struct node *graph_append_node(struct graph *graph, int64_t id, const char *uuid,
                               const char *name)
{
    struct node *node = xcalloc(1, sizeof *node);
    node->id = id;
    uuid_text_copy(node->uuid, uuid);
    node->name = xstrdup(name);
    node_list_add(&graph->nodes, node);
    map_add(&graph->nodes_by_uuid, &node->by_uuid, node->uuid);
    map_add(&graph->nodes_by_name, &node->by_name, node->name);
    return node;
}

struct node *graph_add_node(struct graph *graph, int64_t id, const char *uuid,
                            const char *name, struct node *parent)
{
    struct node *node = graph_append_node(graph, id, uuid, name);
    enter_tree(graph, node, parent);
    return node;
}

/* Sets the root of the node and of those above it. Each is walked over once: further up
 * than one whose root is known nobody looks. False: the node is below itself. */
static bool find_root(struct node *node, size_t most)
{
    struct node *top = node;
    for (size_t steps = 0; !top->root && top->parent; top = top->parent)
        if (steps++ == most)
            return false;
    struct node *root = top->root ? top->root : top;
    for (; node && !node->root; node = node->parent)
        node->root = root;
    return true;
}

const struct node *graph_make_trees(struct graph *graph)
{
    for (size_t i = 0; i < graph->nodes.count; i++) {
        struct node *node = graph->nodes.items[i];
        if (!find_root(node, graph->nodes.count))
            return node;
        enter_tree(graph, node, node->parent);
    }
    return NULL;
}

void graph_rename_node(struct graph *graph, struct node *node, const char *name)
{
    char *copy = xstrdup(name);
    map_remove(&graph->nodes_by_name, &node->by_name);
    free(node->name);
    node->name = copy;
    map_add(&graph->nodes_by_name, &node->by_name, node->name);
}

void graph_move_node(struct graph *graph, struct node *node, struct node *parent)
{
    struct node *old_root = node->root, *new_root = parent ? parent->root : node;
    if (node->parent)
        node->parent->child_count--;
    else
        node_list_remove(&graph->roots, node);
    node->parent = parent;
    if (parent)
        parent->child_count++;
    else
        node_list_add(&graph->roots, node);
    if (new_root == old_root)
        return;
    struct node_list old = old_root->tree;
    old_root->tree = (struct node_list){0};
    for (size_t i = 0; i < old.count; i++)
        old.items[i]->root = NULL;
    for (size_t i = 0; i < old.count; i++) {
        struct node *member = old.items[i];
        find_root(member, SIZE_MAX);
        node_list_add(&member->root->tree, member);
    }
    node_list_clear(&old);
}

size_t graph_list_below(struct node *node, struct node ***out)
{
    struct node *root = node->root, *parent = node->parent;
    const struct node_list *tree = &root->tree;
    size_t count = 0;
    /* As if the node were a root, for a moment. */
    for (size_t i = 0; i < tree->count; i++)
        tree->items[i]->root = NULL;
    node->parent = NULL;
    for (size_t i = 0; i < tree->count; i++)
        find_root(tree->items[i], SIZE_MAX);
    *out = NULL;
    for (size_t i = 0; i < tree->count; i++) {
        if (tree->items[i]->root == node && tree->items[i] != node)
            *array_add(*out, count) = tree->items[i];
        tree->items[i]->root = root;
    }
    node->parent = parent;
    return count;
}

static void node_free(struct node *node)
{
    node_list_clear(&node->tree);
    free(node->stocks.items);
    free(node->traits);
    free(node->aggregates);
    free(node->name);
    free(node);
}

void graph_remove_node(struct graph *graph, struct node *node)
{
    assert(node->child_count == 0);
    graph_set_traits(node, NULL, 0);
    graph_set_aggregates(node, NULL, 0);
    while (node->stocks.count > 0)
        graph_remove_stock(node->stocks.items[node->stocks.count - 1]);
    node_list_remove(&node->root->tree, node);
    if (node->parent)
        node->parent->child_count--;
    else
        node_list_remove(&graph->roots, node);
    map_remove(&graph->nodes_by_uuid, &node->by_uuid);
    map_remove(&graph->nodes_by_name, &node->by_name);
    node_list_remove(&graph->nodes, node);
    node_free(node);
}

/* ---- traits and aggregates of a node ---- */

void graph_append_trait(struct node *node, struct trait *trait)
{
    *array_add(node->traits, node->trait_count) = trait;
    node_list_add(&trait->nodes, node);
}

void graph_append_aggregate(struct node *node, struct aggregate *aggregate)
{
    *array_add(node->aggregates, node->aggregate_count) = aggregate;
    node_list_add(&aggregate->nodes, node);
}

static int compare_traits(const void *a, const void *b)
{
    const struct trait *left = *(struct trait *const *)a;
    const struct trait *right = *(struct trait *const *)b;
    return (left->id > right->id) - (left->id < right->id);
}

void graph_set_traits(struct node *node, struct trait *const *traits, size_t count)
{
    for (size_t i = 0; i < node->trait_count; i++)
        node_list_remove(&node->traits[i]->nodes, node);
    free(node->traits);
    node->traits = NULL;
    node->trait_count = count;
    if (count == 0)
        return;
    node->traits = xreallocarray(NULL, count, sizeof *node->traits);
    memcpy(node->traits, traits, count * sizeof *node->traits);
    qsort(node->traits, count, sizeof *node->traits, compare_traits);
    for (size_t i = 0; i < count; i++)
        node_list_add(&node->traits[i]->nodes, node);
}

static int compare_aggregates(const void *a, const void *b)
{
    const struct aggregate *left = *(struct aggregate *const *)a;
    const struct aggregate *right = *(struct aggregate *const *)b;
    return (left->id > right->id) - (left->id < right->id);
}

void graph_set_aggregates(struct node *node, struct aggregate *const *aggregates,
                          size_t count)
{
    for (size_t i = 0; i < node->aggregate_count; i++)
        node_list_remove(&node->aggregates[i]->nodes, node);
    free(node->aggregates);
    node->aggregates = NULL;
    node->aggregate_count = count;
    if (count == 0)
        return;
    node->aggregates = xreallocarray(NULL, count, sizeof *node->aggregates);
    memcpy(node->aggregates, aggregates, count * sizeof *node->aggregates);
    qsort(node->aggregates, count, sizeof *node->aggregates, compare_aggregates);
    for (size_t i = 0; i < count; i++)
        node_list_add(&node->aggregates[i]->nodes, node);
}

/* ---- stocks ---- */

struct stock *graph_add_stock(struct node *node, struct resource_class *class,
                              const struct inventory *limits, int64_t modified)
{
    struct stock *stock = xcalloc(1, sizeof *stock);
    stock->node = node;
    stock->class = class;
    stock->limits = *limits;
    stock->modified = modified;
    stock_list_add(&node->stocks, stock);
    stock_list_add(&class->stocks, stock);
    return stock;
}

void graph_remove_stock(struct stock *stock)
{
    assert(stock->allocation_count == 0);
    stock_list_remove(&stock->node->stocks, stock);
    stock_list_remove(&stock->class->stocks, stock);
    free(stock);
}

/* ---- the end ---- */

/* Frees all that is in the map; `release` gets the entry. */
static void map_release(struct map *map, void (*release)(struct map_entry *entry))
{
    for (size_t i = 0; i < map->bucket_count; i++)
        for (struct map_entry *entry = map->buckets[i], *next; entry; entry = next) {
            next = entry->next;
            release(entry);
        }
    map_clear(map);
}

static void release_consumer(struct map_entry *entry)
{
    struct consumer *consumer = map_owner(entry, struct consumer, by_uuid);
    graph_remove_allocations(consumer);
    free(consumer);
}

static void release_outsider(struct map_entry *entry)
{
    struct outsider *outsider = map_owner(entry, struct outsider, by_name);
    free(outsider->name);
    free(outsider);
}

static void release_aggregate(struct map_entry *entry)
{
    struct aggregate *aggregate = map_owner(entry, struct aggregate, by_uuid);
    node_list_clear(&aggregate->nodes);
    free(aggregate);
}

void graph_clear(struct graph *graph)
{
    map_release(&graph->consumers, release_consumer);
    map_release(&graph->projects, release_outsider);
    map_release(&graph->users, release_outsider);
    map_release(&graph->consumer_types, release_outsider);
    map_release(&graph->aggregates, release_aggregate);
    for (size_t i = 0; i < graph->nodes.count; i++) {
        struct node *node = graph->nodes.items[i];
        for (size_t k = 0; k < node->stocks.count; k++)
            free(node->stocks.items[k]);
        node_free(node);
    }
    for (size_t i = 0; i < graph->class_count; i++)
        class_free(graph->classes[i]);
    for (size_t i = 0; i < graph->trait_count; i++)
        trait_free(graph->traits[i]);
    free(graph->classes);
    free(graph->traits);
    node_list_clear(&graph->nodes);
    node_list_clear(&graph->roots);
    map_clear(&graph->nodes_by_uuid);
    map_clear(&graph->nodes_by_name);
    map_clear(&graph->classes_by_name);
    map_clear(&graph->traits_by_name);
    *graph = (struct graph){0};
}
