/*
 * graph: all that Placement knows, in memory: the trees of providers, their
 * inventories, traits, aggregates, and who has allocated what. It answers every read.
 * The tables on disk hold the same and are the truth: graph_load.h fills a graph from
 * them, and only the store (store.h) changes one, after its SQL has succeeded.
 *
 * Readers may follow every pointer and must change nothing. Pointers stay valid until
 * the end of the request that looked them up, unless that request itself deletes the
 * thing. All lists are sorted by the id in the database, so that two reads see the same
 * order, also after a restart. Times are seconds since 1970. One thread only.
 */
#ifndef PLACEMENT_SERVER_GRAPH_GRAPH_H
#define PLACEMENT_SERVER_GRAPH_GRAPH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/cleanup.h"
#include "lib/map.h"
#include "lib/uuid.h"
#include "placement/model.h"

struct resource_provider;
struct provider_inventory;

struct provider_list {
    struct resource_provider **items; /* by id */
    size_t count, room;
};

/* Of a provider, sorted by class id; or of a class, sorted by provider id. */
struct inventory_list {
    struct provider_inventory **items;
    size_t count, room;
};

struct resource_class {
    int64_t id; /* of a standard one its place in os-resource-classes; else >= 10000 */
    char *name;
    int64_t modified;
    struct inventory_list inventories; /* of all providers that have this class */
    struct map_entry by_name;
};

struct trait {
    int64_t id;
    char *name;
    int64_t modified;
    struct provider_list providers; /* all providers that have the trait */
    struct map_entry by_name;
};

struct aggregate {
    int64_t id;
    char uuid[UUID_TEXT_SIZE];
    struct provider_list providers; /* all members of the aggregate */
    struct map_entry by_uuid;
};

/* A resource provider. */
struct resource_provider {
    int64_t id, generation, modified;
    char uuid[UUID_TEXT_SIZE];
    char *name;
    struct resource_provider *root;   /* a root is its own root */
    struct resource_provider *parent; /* NULL for a root */
    /* for a root: all providers of its tree, the root included */
    struct provider_list tree;
    size_t child_count;                /* direct children only */
    struct inventory_list inventories; /* sorted by class id */
    struct trait **traits;             /* by id */
    size_t trait_count;
    struct aggregate **aggregates; /* by id */
    size_t aggregate_count;
    struct map_entry by_uuid, by_name;
};

/* The inventory of one class on one provider, with what is used of it. */
struct provider_inventory {
    struct resource_provider *provider;
    struct resource_class *class;
    struct inventory limits;
    int64_t modified;
    int64_t used;                   /* sum of the allocations */
    struct allocation *allocations; /* in no particular order */
    size_t allocation_count;
};

/* A name that is not Placement's own: the id of a project or user of Keystone, or a
 * type of consumer. */
struct external_id {
    int64_t id;
    char *name;                 /* the id in Keystone, or the name of the type */
    struct consumer *consumers; /* of a project: its consumers; of the others: NULL */
    struct map_entry by_name;
};

struct consumer {
    int64_t id, generation;
    char uuid[UUID_TEXT_SIZE];
    struct external_id *project, *user;
    struct external_id *type;       /* NULL: unknown */
    struct allocation *allocations; /* newest first */
    /* neighbours among the consumers of the project */
    struct consumer *next, **previous;
    struct map_entry by_uuid;
};

struct allocation {
    struct provider_inventory *inventory;
    struct consumer *consumer;
    int64_t used, created;
    struct allocation *next_of_consumer;
    struct allocation *next_of_inventory, **previous_of_inventory;
};

struct graph {
    struct provider_list providers, roots;
    struct map providers_by_uuid, providers_by_name;
    struct resource_class **classes; /* by id */
    size_t class_count;
    struct map classes_by_name;
    struct trait **traits; /* by id */
    size_t trait_count;
    struct map traits_by_name;
    struct map aggregates; /* by uuid; never removed, as in upstream */
    struct map projects, users, consumer_types; /* by name */
    struct map consumers;                       /* by uuid */
    /* MISC_SHARES_VIA_AGGREGATE, which always exists as it is a standard trait.
     * Providers that have it share their inventories with every tree that has a member
     * in one of their aggregates. */
    struct trait *sharing;
};

/* Each looks up by uuid or name, and gives NULL when there is no such thing. */
struct resource_provider *graph_provider(const struct graph *graph, const char *uuid);
struct resource_provider *graph_provider_by_name(const struct graph *graph,
                                                 const char *name);
struct resource_class *graph_class(const struct graph *graph, const char *name);
struct trait *graph_trait(const struct graph *graph, const char *name);
struct aggregate *graph_aggregate(const struct graph *graph, const char *uuid);
struct consumer *graph_consumer(const struct graph *graph, const char *uuid);
struct external_id *graph_project(const struct graph *graph, const char *name);
struct external_id *graph_user(const struct graph *graph, const char *name);
struct external_id *graph_consumer_type(const struct graph *graph, const char *name);

/* The inventory of a class at a provider; NULL when it has none of that class. */
struct provider_inventory *
provider_inventory_of(const struct resource_provider *provider,
                      const struct resource_class *class);
bool provider_has_trait(const struct resource_provider *provider,
                        const struct trait *trait);
bool provider_in_aggregate(const struct resource_provider *provider,
                           const struct aggregate *aggregate);
/* Whether `provider` is `ancestor` or below it. Takes a step for each level in between.
 */
bool provider_is_below(const struct resource_provider *provider,
                       const struct resource_provider *ancestor);
bool provider_list_contains(const struct provider_list *list,
                            const struct resource_provider *provider);

/* Whether `amount` more can be allocated now, by capacity, min_unit, max_unit and
 * step_size. */
bool inventory_fits(const struct provider_inventory *inventory, int64_t amount);

void graph_clear(struct graph *graph);

/* ---- changing it: for graph_load.c and the store only ---- */

void provider_list_add(struct provider_list *list, struct resource_provider *provider);
void provider_list_remove(struct provider_list *list,
                          struct resource_provider *provider);

struct resource_class *graph_add_class(struct graph *graph, int64_t id,
                                       const char *name, int64_t modified);
void graph_rename_class(struct graph *graph, struct resource_class *class,
                        const char *name, int64_t modified);
/* Removes a class, of which no inventory may be left. */
void graph_remove_class(struct graph *graph, struct resource_class *class);
struct trait *graph_add_trait(struct graph *graph, int64_t id, const char *name,
                              int64_t modified);
/* Removes a trait, which no provider may have. */
void graph_remove_trait(struct graph *graph, struct trait *trait);
/* `uuid` has at most UUID_TEXT_SIZE - 1 characters. It may be any spelling that the API
 * takes; without dashes it is shorter. */
struct aggregate *graph_add_aggregate(struct graph *graph, int64_t id,
                                      const char *uuid);
/* `map` is one of graph->projects, users and consumer_types. */
struct external_id *graph_add_external_id(struct map *map, int64_t id,
                                          const char *name);

/* Adds a provider. With `parent` NULL it is a root. */
struct resource_provider *graph_add_provider(struct graph *graph, int64_t id,
                                             const char *uuid, const char *name,
                                             struct resource_provider *parent);
/* Adds a provider that is in no tree yet, for loading, in the order of ids. The caller
 * sets the parents of all providers and then calls graph_make_trees(). */
struct resource_provider *graph_append_provider(struct graph *graph, int64_t id,
                                                const char *uuid, const char *name);
/* Sets the roots and the trees by the parents. Gives NULL; or a provider that is its own
 * ancestor, and then the graph must not be used. */
const struct resource_provider *graph_make_trees(struct graph *graph);
void graph_rename_provider(struct graph *graph, struct resource_provider *provider,
                           const char *name);
/* Moves the provider with all below it; `parent` NULL makes it a root. The parent must
 * not be in the subtree. */
void graph_move_provider(struct graph *graph, struct resource_provider *provider,
                         struct resource_provider *parent);
/* Lists all descendants of the provider and gives their number; the caller frees *out.
 * Takes time in proportion to the size of the whole tree, however deep it is. */
size_t graph_list_below(struct resource_provider *provider,
                        struct resource_provider ***out);
/* Removes a provider, which may have no children and no allocations. */
void graph_remove_provider(struct graph *graph, struct resource_provider *provider);

/* Each adds one, in the order of ids: for loading. */
void graph_append_trait(struct resource_provider *provider, struct trait *trait);
void graph_append_aggregate(struct resource_provider *provider,
                            struct aggregate *aggregate);
/* Each replaces all that the provider has. The array is copied and sorted. */
void graph_set_traits(struct resource_provider *provider, struct trait *const *traits,
                      size_t count);
void graph_set_aggregates(struct resource_provider *provider,
                          struct aggregate *const *aggregates, size_t count);

struct provider_inventory *graph_add_inventory(struct resource_provider *provider,
                                               struct resource_class *class,
                                               const struct inventory *limits,
                                               int64_t modified);
/* Removes an inventory, of which no allocation may be left. */
void graph_remove_inventory(struct provider_inventory *inventory);

struct consumer *graph_add_consumer(struct graph *graph, int64_t id, const char *uuid,
                                    struct external_id *project,
                                    struct external_id *user, struct external_id *type);
void graph_set_project(struct consumer *consumer, struct external_id *project);
/* Removes a consumer and its allocations. */
void graph_remove_consumer(struct graph *graph, struct consumer *consumer);
struct allocation *graph_add_allocation(struct consumer *consumer,
                                        struct provider_inventory *inventory,
                                        int64_t used, int64_t created);
void graph_remove_allocations(struct consumer *consumer);

#endif
