/*
 * slots: a request for allocation candidates with its names looked up in the
 * graph, in the shape that the search wants: a list of slots, each to be filled with
 * one provider. The group without a suffix has a slot for each of its classes, since
 * each may come from another provider; every other group has one slot for all that it
 * asks.
 *
 * A plan borrows from the request, its budget and the graph, and lives no longer than
 * any of them, nor than the next change of the graph. One thread.
 */
#ifndef PLACEMENT_SERVER_CANDIDATES_SLOTS_H
#define PLACEMENT_SERVER_CANDIDATES_SLOTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/placementd_options.h"
#include "placement/server/candidates/request.h"
#include "placement/server/graph/graph.h"
#include "placement/server/message/budget.h"

struct wanted_amount {
    const struct resource_class *class;
    int64_t amount;
    bool repeated; /* another slot asks for the same class, so their sum must fit */
};

struct trait_list {
    const struct trait **items;
    size_t count;
};

struct aggregate_list {
    const struct aggregate **items;
    size_t count;
};

/* What a group asks for, with its names looked up in the graph. */
struct wanted {
    const char *suffix;
    bool one_provider; /* one provider must serve it all: a group with a suffix */
    struct wanted_amount *amounts;
    size_t amount_count;
    struct trait_list *required; /* of each list any one */
    size_t required_count;
    struct trait_list forbidden;
    struct aggregate_list *member_of; /* of each list any one */
    size_t member_of_count;
    struct aggregate_list not_member_of;
    /* root of the tree that in_tree names; NULL: anywhere */
    const struct resource_provider *tree;
    uint64_t cost; /* steps that one comparison with a provider takes */
};

/* Adds the aggregates of these uuids to `out`. An aggregate comes into being by being
 * named, so an unknown one has no members and is left out. */
void candidates_find_aggregates(const struct graph *graph, const struct strlist *uuids,
                                struct aggregate_list *out);

void candidates_wanted_clear(struct wanted *wanted);

struct slot {
    const struct wanted *wanted;
    const struct wanted_amount *amounts; /* the amounts of `wanted`, or one of them */
    size_t amount_count;
    uint64_t group; /* bit of the group; 0 for the group without a suffix */
};

struct candidates_plan {
    const struct graph *graph;
    struct budget
        *budget; /* budget of the request, from which all work on the plan is paid */
    struct wanted *wanted; /* the groups, in the order of the request */
    size_t wanted_count;
    struct slot *slots;
    size_t slot_count;
    /* The bits of the groups of each same_subtree: their providers must be one of them
     * and providers below that one. */
    uint64_t *same_subtrees;
    size_t same_subtree_count;
    struct trait_list root_required, root_forbidden;
    bool isolate;      /* slots of suffixed groups take different providers */
    bool one_per_tree; /* before 1.29: no two providers of one tree */
    /* Of the providers of one tree that may fill a slot: set by the caller after
     * candidates_plan_make(), which leaves upstream's. */
    enum allocation_order order;
};

enum plan_result {
    PLAN_MADE,
    /* nothing can serve the request, and no search is needed to know it */
    PLAN_EMPTY,
    PLAN_UNKNOWN_NAME, /* a class or trait does not exist; see *group and *problem */
};

/* Looks the names up, group by group, and ends at the first thing that is wrong. Where
 * the budget is spent before the end the plan is PLAN_EMPTY. For
 * PLAN_UNKNOWN_NAME *group gets the number of groups before the one with that name, and
 * *problem the words for it (free()). *out is to be cleared whatever comes. */
enum plan_result candidates_plan_make(const struct graph *graph,
                                      const struct candidates_request *request,
                                      int microversion, struct budget *budget,
                                      struct candidates_plan *out, size_t *group,
                                      char **problem);
void candidates_plan_clear(struct candidates_plan *plan);

/* Whether `root` may anchor candidates: whether it has the traits that root_required
 * asks for. */
bool candidates_plan_takes_root(const struct candidates_plan *plan,
                                const struct resource_provider *root);

#endif
