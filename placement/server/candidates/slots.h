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

#include "placement/server/candidates/request.h"
#include "placement/server/graph/graph.h"
#include "placement/server/message/budget.h"

struct wanted_amount {
    const struct resource_class *class;
    int64_t amount;
    bool repeated; /* another slot asks for the same class: mind their sum */
};

struct trait_list {
    const struct trait **items;
    size_t count;
};

struct aggregate_list {
    const struct aggregate **items;
    size_t count;
};

/* What a group asks, resolved. */
struct wanted {
    const char *suffix;
    bool one_provider; /* all of it from one provider: a group with a suffix */
    struct wanted_amount *amounts;
    size_t amount_count;
    struct trait_list *required; /* of each list any one */
    size_t required_count;
    struct trait_list forbidden;
    struct aggregate_list *member_of; /* of each list any one */
    size_t member_of_count;
    struct aggregate_list not_member_of;
    const struct resource_provider *tree; /* in_tree: the root; NULL: anywhere */
    uint64_t cost; /* of holding a provider against all that: steps */
};

void candidates_wanted_clear(struct wanted *wanted);

struct slot {
    const struct wanted *wanted;
    const struct wanted_amount *amounts; /* those of `wanted`, or one of them */
    size_t amount_count;
    uint64_t group; /* a bit of its own for each group with a suffix; else 0 */
};

struct candidates_plan {
    const struct graph *graph;
    struct budget
        *budget; /* of the request; what is made with the plan spends from it */
    struct wanted *wanted; /* the groups, in the request's order */
    size_t wanted_count;
    struct slot *slots;
    size_t slot_count;
    /* Of each, the bits of groups: their providers must be one of them and what is
     * below it. Each once. */
    uint64_t *same_subtrees;
    size_t same_subtree_count;
    struct trait_list root_required, root_forbidden;
    bool isolate;      /* slots of suffixed groups take different providers */
    bool one_per_tree; /* before 1.29: no two providers of one tree */
};

enum plan_result {
    PLAN_MADE,
    PLAN_EMPTY,        /* plain at once: nobody can serve it */
    PLAN_UNKNOWN_NAME, /* of a class or a trait; *group and *problem say more */
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

/* `root` may anchor candidates: it has the traits that root_required wants. */
bool candidates_plan_takes_root(const struct candidates_plan *plan,
                                const struct resource_provider *root);

#endif
