/* Changing the graph. Lists stay sorted by id; new things have the highest ids, so that
 * adding is mostly appending. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "lib/lower_bound.h"
#include "lib/xalloc.h"
#include "placement/server/graph/graph.h"

/* ---- sorted lists ---- */

static size_t provider_place(const struct provider_list *list, int64_t id)
{
    if (list->count > 0 && list->items[list->count - 1]->id < id)
        return list->count;
    return lower_bound(i, list->count, list->items[i]->id < id);
}

bool provider_list_contains(const struct provider_list *list,
                            const struct resource_provider *provider)
{
    size_t at = provider_place(list, provider->id);
    return at < list->count && list->items[at] == provider;
}

/* Makes room for one more pointer at index `at`. Gives the array, which may have moved.
 */
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

void provider_list_add(struct provider_list *list, struct resource_provider *provider)
{
    size_t at = provider_place(list, provider->id);
    list->items = open_gap(list->items, &list->count, &list->room, at);
    list->items[at] = provider;
}

void provider_list_remove(struct provider_list *list,
                          struct resource_provider *provider)
{
    assert(provider_list_contains(list, provider));
    close_gap(list->items, &list->count, provider_place(list, provider->id));
}

static void provider_list_clear(struct provider_list *list)
{
    free(list->items);
    *list = (struct provider_list){0};
}

/* The id that the list is sorted by: lists of a class by provider id, lists of a
 * provider by class id. */
static int64_t id_in(const struct provider_inventory *inventory,
                     const struct inventory_list *list)
{
    return list == &inventory->class->inventories ? inventory->provider->id
                                                  : inventory->class->id;
}

static size_t inventory_place(const struct inventory_list *list,
                              const struct provider_inventory *inventory)
{
    int64_t id = id_in(inventory, list);
    return lower_bound(i, list->count, id_in(list->items[i], list) < id);
}

static void inventory_list_add(struct inventory_list *list,
                               struct provider_inventory *inventory)
{
    size_t at = inventory_place(list, inventory);
    list->items = open_gap(list->items, &list->count, &list->room, at);
    list->items[at] = inventory;
}

static void inventory_list_remove(struct inventory_list *list,
                                  const struct provider_inventory *inventory)
{
    close_gap(list->items, &list->count, inventory_place(list, inventory));
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
    free(class->inventories.items);
    free(class->name);
    free(class);
}

void graph_remove_class(struct graph *graph, struct resource_class *class)
{
    assert(class->inventories.count == 0);
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
    provider_list_clear(&trait->providers);
    free(trait->name);
    free(trait);
}

void graph_remove_trait(struct graph *graph, struct trait *trait)
{
    assert(trait->providers.count == 0);
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

/* ---- providers ---- */

static void enter_tree(struct graph *graph, struct resource_provider *provider,
                       struct resource_provider *parent)
{
    provider->parent = parent;
    provider->root = parent ? parent->root : provider;
    if (parent)
        parent->child_count++;
    else
        provider_list_add(&graph->roots, provider);
    provider_list_add(&provider->root->tree, provider);
}

struct resource_provider *graph_append_provider(struct graph *graph, int64_t id,
                                                const char *uuid, const char *name)
{
    struct resource_provider *provider = xcalloc(1, sizeof *provider);
    provider->id = id;
    uuid_text_copy(provider->uuid, uuid);
    provider->name = xstrdup(name);
    provider_list_add(&graph->providers, provider);
    map_add(&graph->providers_by_uuid, &provider->by_uuid, provider->uuid);
    map_add(&graph->providers_by_name, &provider->by_name, provider->name);
    return provider;
}

struct resource_provider *graph_add_provider(struct graph *graph, int64_t id,
                                             const char *uuid, const char *name,
                                             struct resource_provider *parent)
{
    struct resource_provider *provider = graph_append_provider(graph, id, uuid, name);
    enter_tree(graph, provider, parent);
    return provider;
}

/* Sets the root of the provider and of its ancestors. The walk upward ends at the first
 * ancestor whose root is known, so that each provider is visited once. False when the
 * provider is its own ancestor. */
static bool find_root(struct resource_provider *provider, size_t most)
{
    struct resource_provider *top = provider;
    for (size_t steps = 0; !top->root && top->parent; top = top->parent)
        if (steps++ == most)
            return false;
    struct resource_provider *root = top->root ? top->root : top;
    for (; provider && !provider->root; provider = provider->parent)
        provider->root = root;
    return true;
}

const struct resource_provider *graph_make_trees(struct graph *graph)
{
    for (size_t i = 0; i < graph->providers.count; i++) {
        struct resource_provider *provider = graph->providers.items[i];
        if (!find_root(provider, graph->providers.count))
            return provider;
        enter_tree(graph, provider, provider->parent);
    }
    return NULL;
}

void graph_rename_provider(struct graph *graph, struct resource_provider *provider,
                           const char *name)
{
    char *copy = xstrdup(name);
    map_remove(&graph->providers_by_name, &provider->by_name);
    free(provider->name);
    provider->name = copy;
    map_add(&graph->providers_by_name, &provider->by_name, provider->name);
}

void graph_move_provider(struct graph *graph, struct resource_provider *provider,
                         struct resource_provider *parent)
{
    struct resource_provider *old_root = provider->root,
                             *new_root = parent ? parent->root : provider;
    if (provider->parent)
        provider->parent->child_count--;
    else
        provider_list_remove(&graph->roots, provider);
    provider->parent = parent;
    if (parent)
        parent->child_count++;
    else
        provider_list_add(&graph->roots, provider);
    if (new_root == old_root)
        return;
    struct provider_list old = old_root->tree;
    old_root->tree = (struct provider_list){0};
    for (size_t i = 0; i < old.count; i++)
        old.items[i]->root = NULL;
    for (size_t i = 0; i < old.count; i++) {
        struct resource_provider *member = old.items[i];
        find_root(member, SIZE_MAX);
        provider_list_add(&member->root->tree, member);
    }
    provider_list_clear(&old);
}

size_t graph_list_below(struct resource_provider *provider,
                        struct resource_provider ***out)
{
    struct resource_provider *root = provider->root, *parent = provider->parent;
    const struct provider_list *tree = &root->tree;
    size_t count = 0;
    /* While the provider is made a root, find_root() marks all that is below it. */
    for (size_t i = 0; i < tree->count; i++)
        tree->items[i]->root = NULL;
    provider->parent = NULL;
    for (size_t i = 0; i < tree->count; i++)
        find_root(tree->items[i], SIZE_MAX);
    *out = NULL;
    for (size_t i = 0; i < tree->count; i++) {
        if (tree->items[i]->root == provider && tree->items[i] != provider)
            *array_add(*out, count) = tree->items[i];
        tree->items[i]->root = root;
    }
    provider->parent = parent;
    return count;
}

static void provider_free(struct resource_provider *provider)
{
    provider_list_clear(&provider->tree);
    free(provider->inventories.items);
    free(provider->traits);
    free(provider->aggregates);
    free(provider->name);
    free(provider);
}

void graph_remove_provider(struct graph *graph, struct resource_provider *provider)
{
    assert(provider->child_count == 0);
    graph_set_traits(provider, NULL, 0);
    graph_set_aggregates(provider, NULL, 0);
    while (provider->inventories.count > 0)
        graph_remove_inventory(
            provider->inventories.items[provider->inventories.count - 1]);
    provider_list_remove(&provider->root->tree, provider);
    if (provider->parent)
        provider->parent->child_count--;
    else
        provider_list_remove(&graph->roots, provider);
    map_remove(&graph->providers_by_uuid, &provider->by_uuid);
    map_remove(&graph->providers_by_name, &provider->by_name);
    provider_list_remove(&graph->providers, provider);
    provider_free(provider);
}

/* ---- traits and aggregates of a provider ---- */

void graph_append_trait(struct resource_provider *provider, struct trait *trait)
{
    *array_add(provider->traits, provider->trait_count) = trait;
    provider_list_add(&trait->providers, provider);
}

void graph_append_aggregate(struct resource_provider *provider,
                            struct aggregate *aggregate)
{
    *array_add(provider->aggregates, provider->aggregate_count) = aggregate;
    provider_list_add(&aggregate->providers, provider);
}

static int compare_traits(const void *a, const void *b)
{
    const struct trait *left = *(struct trait *const *)a;
    const struct trait *right = *(struct trait *const *)b;
    return (left->id > right->id) - (left->id < right->id);
}

void graph_set_traits(struct resource_provider *provider, struct trait *const *traits,
                      size_t count)
{
    for (size_t i = 0; i < provider->trait_count; i++)
        provider_list_remove(&provider->traits[i]->providers, provider);
    free(provider->traits);
    provider->traits = NULL;
    provider->trait_count = count;
    if (count == 0)
        return;
    provider->traits = xreallocarray(NULL, count, sizeof *provider->traits);
    memcpy(provider->traits, traits, count * sizeof *provider->traits);
    qsort(provider->traits, count, sizeof *provider->traits, compare_traits);
    for (size_t i = 0; i < count; i++)
        provider_list_add(&provider->traits[i]->providers, provider);
}

static int compare_aggregates(const void *a, const void *b)
{
    const struct aggregate *left = *(struct aggregate *const *)a;
    const struct aggregate *right = *(struct aggregate *const *)b;
    return (left->id > right->id) - (left->id < right->id);
}

void graph_set_aggregates(struct resource_provider *provider,
                          struct aggregate *const *aggregates, size_t count)
{
    for (size_t i = 0; i < provider->aggregate_count; i++)
        provider_list_remove(&provider->aggregates[i]->providers, provider);
    free(provider->aggregates);
    provider->aggregates = NULL;
    provider->aggregate_count = count;
    if (count == 0)
        return;
    provider->aggregates = xreallocarray(NULL, count, sizeof *provider->aggregates);
    memcpy(provider->aggregates, aggregates, count * sizeof *provider->aggregates);
    qsort(provider->aggregates, count, sizeof *provider->aggregates,
          compare_aggregates);
    for (size_t i = 0; i < count; i++)
        provider_list_add(&provider->aggregates[i]->providers, provider);
}

/* ---- inventories ---- */

struct provider_inventory *graph_add_inventory(struct resource_provider *provider,
                                               struct resource_class *class,
                                               const struct inventory *limits,
                                               int64_t modified)
{
    struct provider_inventory *inventory = xcalloc(1, sizeof *inventory);
    inventory->provider = provider;
    inventory->class = class;
    inventory->limits = *limits;
    inventory->modified = modified;
    inventory_list_add(&provider->inventories, inventory);
    inventory_list_add(&class->inventories, inventory);
    return inventory;
}

void graph_remove_inventory(struct provider_inventory *inventory)
{
    assert(inventory->allocation_count == 0);
    inventory_list_remove(&inventory->provider->inventories, inventory);
    inventory_list_remove(&inventory->class->inventories, inventory);
    free(inventory);
}

/* ---- the end ---- */

/* Calls `release` for each entry and clears the map. */
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

static void release_external_id(struct map_entry *entry)
{
    struct external_id *external_id = map_owner(entry, struct external_id, by_name);
    free(external_id->name);
    free(external_id);
}

static void release_aggregate(struct map_entry *entry)
{
    struct aggregate *aggregate = map_owner(entry, struct aggregate, by_uuid);
    provider_list_clear(&aggregate->providers);
    free(aggregate);
}

void graph_clear(struct graph *graph)
{
    map_release(&graph->consumers, release_consumer);
    map_release(&graph->projects, release_external_id);
    map_release(&graph->users, release_external_id);
    map_release(&graph->consumer_types, release_external_id);
    map_release(&graph->aggregates, release_aggregate);
    for (size_t i = 0; i < graph->providers.count; i++) {
        struct resource_provider *provider = graph->providers.items[i];
        for (size_t k = 0; k < provider->inventories.count; k++)
            free(provider->inventories.items[k]);
        provider_free(provider);
    }
    for (size_t i = 0; i < graph->class_count; i++)
        class_free(graph->classes[i]);
    for (size_t i = 0; i < graph->trait_count; i++)
        trait_free(graph->traits[i]);
    free(graph->classes);
    free(graph->traits);
    provider_list_clear(&graph->providers);
    provider_list_clear(&graph->roots);
    map_clear(&graph->providers_by_uuid);
    map_clear(&graph->providers_by_name);
    map_clear(&graph->classes_by_name);
    map_clear(&graph->traits_by_name);
    *graph = (struct graph){0};
}
