/*
 * graph: all that Placement knows, in memory: the trees of providers (here: nodes),
 * their inventories (here: stocks), traits, aggregates, and who has allocated what. It
 * answers every read. The tables on disk hold the same and are the truth: graph_load.h
 * fills a graph from them, and only the store (store.h) changes one, after its SQL has
 * succeeded.
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

struct node;
struct stock;

struct node_list {
    struct node **items; /* by id */
    size_t count, room;
};

struct stock_list {
    struct stock **items; /* in a node: by class id; in a class: by node id */
    size_t count, room;
};

struct resource_class {
    int64_t
        id; /* standard ones: their place in os-resource-classes; custom from 10000 */
    char *name;
    int64_t modified;
    struct stock_list stocks; /* every provider that has some of this class */
    struct map_entry by_name;
};

struct trait {
    int64_t id;
    char *name;
    int64_t modified;
    struct node_list nodes; /* every provider that has it */
    struct map_entry by_name;
};

struct aggregate {
    int64_t id;
    char uuid[UUID_TEXT_SIZE];
    struct node_list nodes; /* every provider that is in it */
    struct map_entry by_uuid;
};

/* A resource provider. */
struct node {
    int64_t id, generation, modified;
    char uuid[UUID_TEXT_SIZE];
    char *name;
    struct node *root;        /* itself for a root */
    struct node *parent;      /* NULL for a root */
    struct node_list tree;    /* of a root: all of its tree, itself included */
    size_t child_count;       /* direct children */
    struct stock_list stocks; /* its inventories, by class id */
    struct trait **traits;    /* by id */
    size_t trait_count;
    struct aggregate **aggregates; /* by id */
    size_t aggregate_count;
    struct map_entry by_uuid, by_name;
};

/* The inventory of one class on one provider, with what is used of it. */
struct stock {
    struct node *node;
    struct resource_class *class;
    struct inventory limits;
    int64_t modified;
    int64_t used;                   /* the sum of the allocations below */
    struct allocation *allocations; /* in no order */
    size_t allocation_count;
};

/* Somebody outside: a project or a user of Keystone, a type of consumer. */
struct outsider {
    int64_t id;
    char *name;                 /* the external id; the type's name */
    struct consumer *consumers; /* of a project: all of its consumers; else NULL */
    struct map_entry by_name;
};

struct consumer {
    int64_t id, generation;
    char uuid[UUID_TEXT_SIZE];
    struct outsider *project, *user;
    struct outsider *type;             /* NULL: unknown */
    struct allocation *allocations;    /* newest first */
    struct consumer *next, **previous; /* among those of the project */
    struct map_entry by_uuid;
};

struct allocation {
    struct stock *stock;
    struct consumer *consumer;
    int64_t used, created;
    struct allocation *next_of_consumer;
    struct allocation *next_of_stock, **previous_of_stock;
};

struct graph {
    struct node_list nodes, roots;
    struct map nodes_by_uuid, nodes_by_name;
    struct resource_class **classes; /* by id */
    size_t class_count;
    struct map classes_by_name;
    struct trait **traits; /* by id */
    size_t trait_count;
    struct map traits_by_name;
    struct map aggregates; /* by uuid; kept for ever, as upstream does */
    struct map projects, users, consumer_types; /* by name */
    struct map consumers;                       /* by uuid */
    /* Standard, so always there: MISC_SHARES_VIA_AGGREGATE. Its nodes share their
     * stocks with every tree that has a member in one of their aggregates. */
    struct trait *sharing;
};

/* Each NULL when there is no such thing. */
struct node *graph_node(const struct graph *graph, const char *uuid);
struct node *graph_node_by_name(const struct graph *graph, const char *name);
struct resource_class *graph_class(const struct graph *graph, const char *name);
struct trait *graph_trait(const struct graph *graph, const char *name);
struct aggregate *graph_aggregate(const struct graph *graph, const char *uuid);
struct consumer *graph_consumer(const struct graph *graph, const char *uuid);
struct outsider *graph_project(const struct graph *graph, const char *name);
struct outsider *graph_user(const struct graph *graph, const char *name);
struct outsider *graph_consumer_type(const struct graph *graph, const char *name);

/* The stock of a class at a node, NULL when it has no inventory of it. */
struct stock *node_stock(const struct node *node, const struct resource_class *class);
bool node_has_trait(const struct node *node, const struct trait *trait);
bool node_in_aggregate(const struct node *node, const struct aggregate *aggregate);
/* `node` is `ancestor` or below it. Takes a step for each in between. */
bool node_is_below(const struct node *node, const struct node *ancestor);
bool node_list_contains(const struct node_list *list, const struct node *node);

/* (total - reserved) * allocation_ratio, not rounded: what is compared with. */
static inline double stock_capacity(const struct stock *stock)
{
    return (double)(stock->limits.total - stock->limits.reserved) *
           stock->limits.allocation_ratio;
}

/* `amount` more fits now: capacity, min_unit, max_unit and step_size. */
bool stock_fits(const struct stock *stock, int64_t amount);

void graph_clear(struct graph *graph);

/* ---- changing it: for graph_load.c and the store only ---- */

void node_list_add(struct node_list *list, struct node *node);
void node_list_remove(struct node_list *list, struct node *node);

struct resource_class *graph_add_class(struct graph *graph, int64_t id,
                                       const char *name, int64_t modified);
void graph_rename_class(struct graph *graph, struct resource_class *class,
                        const char *name, int64_t modified);
/* No stock may be left. */
void graph_remove_class(struct graph *graph, struct resource_class *class);
struct trait *graph_add_trait(struct graph *graph, int64_t id, const char *name,
                              int64_t modified);
/* No node may have it. */
void graph_remove_trait(struct graph *graph, struct trait *trait);
/* At most UUID_TEXT_SIZE - 1 characters; spellings without dashes are shorter. */
struct aggregate *graph_add_aggregate(struct graph *graph, int64_t id,
                                      const char *uuid);
/* `map` is one of the three of the graph. */
struct outsider *graph_add_outsider(struct map *map, int64_t id, const char *name);

/* `parent` NULL makes a root. */
struct node *graph_add_node(struct graph *graph, int64_t id, const char *uuid,
                            const char *name, struct node *parent);
/* For loading, in the order of their ids: it is in no tree yet. The caller sets the
 * parents of all and then has the trees made. */
struct node *graph_append_node(struct graph *graph, int64_t id, const char *uuid,
                               const char *name);
/* NULL; or one that is below itself, and then the graph is good for nothing. */
const struct node *graph_make_trees(struct graph *graph);
void graph_rename_node(struct graph *graph, struct node *node, const char *name);
/* Moves the node with all below it; `parent` NULL makes it a root. The parent must not
 * be in the subtree. */
void graph_move_node(struct graph *graph, struct node *node, struct node *parent);
/* All below the node, in their number; the caller frees *out. Takes as long as its tree
 * is large, however deep. */
size_t graph_list_below(struct node *node, struct node ***out);
/* It may have no children and no allocations. */
void graph_remove_node(struct graph *graph, struct node *node);

/* Adds one at a time, in the order of their ids: for loading. */
void graph_append_trait(struct node *node, struct trait *trait);
void graph_append_aggregate(struct node *node, struct aggregate *aggregate);
/* Replaces; both arrays are sorted here and copied. */
void graph_set_traits(struct node *node, struct trait *const *traits, size_t count);
void graph_set_aggregates(struct node *node, struct aggregate *const *aggregates,
                          size_t count);

struct stock *graph_add_stock(struct node *node, struct resource_class *class,
                              const struct inventory *limits, int64_t modified);
/* No allocation may be left. */
void graph_remove_stock(struct stock *stock);

struct consumer *graph_add_consumer(struct graph *graph, int64_t id, const char *uuid,
                                    struct outsider *project, struct outsider *user,
                                    struct outsider *type);
void graph_set_project(struct consumer *consumer, struct outsider *project);
/* With its allocations. */
void graph_remove_consumer(struct graph *graph, struct consumer *consumer);
struct allocation *graph_add_allocation(struct consumer *consumer, struct stock *stock,
                                        int64_t used, int64_t created);
void graph_remove_allocations(struct consumer *consumer);

#endif
