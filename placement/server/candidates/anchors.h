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
        unsigned round; /* number of the last tree for which it was found */
    } * sharer;
};

/* Lists of providers of which every candidate has at least one. One of the four pointers
 * is set. */
struct anchor_source {
    const struct inventory_list *inventories;
    const struct provider_list *providers;
    const struct aggregate_list *aggregates; /* members of any of these */
    const struct trait_list *traits;         /* providers with any of these traits */
    /* its providers are the anchors themselves; else each leads to its root */
    bool roots_only;
    size_t cost; /* estimate: number of providers to be looked at */
};

struct candidates_anchors {
    const struct candidates_plan *plan;
    struct anchor_source source;
    size_t list, item; /* position of the walk in the source */
    /* the sharing provider whose aggregates are being walked; NULL: none */
    const struct resource_provider *provider;
    size_t aggregate, member;
    /* roots that were given; aggregates that were walked */
    struct provider_set seen, walked;
    struct sharer *sharers;
    struct shared *shared; /* sorted by aggregate */
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
