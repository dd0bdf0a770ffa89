/*
 * anchors: the roots that may anchor a candidate, one after the other, found
 * lazily. A candidate has an anchor: the tree that all of its providers are in, or
 * share with. Every group limits where anchors can be; the walk follows the list of
 * providers that is the shortest (those with a class, a trait, in an aggregate, in a
 * tree), so what it costs depends on what was asked, not on how many providers there
 * are.
 *
 * Also the index of sharing providers: which of those that could serve the request
 * share with a given tree. Borrows plan and graph. One thread.
 */
#ifndef PLACEMENT_SERVER_CANDIDATES_ANCHORS_H
#define PLACEMENT_SERVER_CANDIDATES_ANCHORS_H

#include "placement/server/candidates/provider_set.h"
#include "placement/server/candidates/slots.h"

/* A sharing provider, and one of the aggregates that it is in. */
struct shared {
    const struct aggregate *aggregate;
    struct sharer {
        const struct resource_provider *provider;
        unsigned round; /* of the last tree that it was found for */
    } * sharer;
};

/* A list of providers: a candidate takes at least one from it. */
struct anchor_source {
    const struct inventory_list *inventories; /* or: */
    const struct provider_list *providers;    /* or: */
    const struct aggregate_list *aggregates;
    const struct trait_list *traits; /* any of them */
    bool roots_only;                 /* it names the anchors themselves */
    size_t cost;                     /* about: how many providers to look at */
};

struct candidates_anchors {
    const struct candidates_plan *plan;
    struct anchor_source source;
    size_t list, item; /* where the walk is in the source */
    const struct resource_provider
        *provider; /* whose aggregates it is walking; NULL: none */
    size_t aggregate, member;
    struct provider_set seen, walked; /* roots, aggregates of sharing providers */
    struct sharer *sharers;
    struct shared *shared; /* by aggregate */
    size_t shared_count;
    unsigned round;
};

void candidates_anchors_begin(const struct candidates_plan *plan,
                              struct candidates_anchors *out);
/* The next root, each once; NULL at the end, or when the budget is spent. */
const struct resource_provider *
candidates_anchors_next(struct candidates_anchors *anchors);
void candidates_anchors_end(struct candidates_anchors *anchors);

/* The sharing providers that may serve the request in the tree of `anchor` without
 * being in it, each once, by id. Adds them to the array that `providers` and `count`
 * make up. False when the budget is spent. */
bool candidates_shared_with(struct candidates_anchors *anchors,
                            const struct resource_provider *anchor,
                            const struct resource_provider ***providers, size_t *count);

#endif
