/*
 * search: all ways to fill the slots of a plan in one anchor's tree, one
 * after the other, by depth-first search: a slot is filled only with what still fits
 * with those before it, so no product of lists is ever made. The position is a row of
 * numbers, from which the search can go on later.
 *
 * What a `same_subtree` wants is in subtree.c.
 *
 * Borrows plan and anchors. One thread.
 */
#ifndef PLACEMENT_SERVER_CANDIDATES_SEARCH_H
#define PLACEMENT_SERVER_CANDIDATES_SEARCH_H

#include <stdint.h>

#include "placement/server/candidates/anchors.h"
#include "placement/server/candidates/slots.h"

/* A provider that may fill a slot, with those of the wanted sets of traits (the first
 * 64) that it meets. */
struct choice {
    const struct resource_provider *provider;
    uint64_t traits;
};

struct choices {
    struct choice *items;
    size_t count, room;
};

/* A provider, and the groups that it may serve. */
struct offer {
    const struct resource_provider *provider;
    uint64_t groups;
};

/* Of what is filled of a `same_subtree`: the lowest provider above all. */
struct common {
    const struct resource_provider *top; /* NULL: nothing is filled */
    bool chosen;                         /* it is one of those filled */
};

struct candidates_search {
    const struct candidates_plan *plan;
    struct candidates_anchors *anchors;
    const struct resource_provider *anchor;
    struct choices *choices; /* by slot */
    uint64_t *traits_from;   /* by slot: what it and those after it can bring */
    uint64_t *traits_until;  /* by slot: what is met by those filled, it included */
    uint64_t traits_wanted;
    uint32_t *at;                               /* by slot: which of its choices, */
    const struct resource_provider **providers; /* and the provider of that choice */
    const struct resource_provider **shared;
    size_t shared_count;
    struct offer *offers; /* by provider's address; none without same_subtrees */
    size_t offer_count;
    uint64_t *groups_from; /* by slot: the groups of it and those after it */
    struct common *common; /* by slot and same_subtree, with that slot filled */
    uint64_t try_cost;     /* of one provider for one slot: steps */
    uint64_t unmasked_cost;
    bool started;
};

/* All searches end when the plan's budget is spent. */
void candidates_search_init(struct candidates_search *search,
                            const struct candidates_plan *plan,
                            struct candidates_anchors *anchors);
/* Turns to another anchor. False when it is plain at once that nothing fits. */
bool candidates_search_begin(struct candidates_search *search,
                             const struct resource_provider *anchor);
/* Goes on after the position `at`, which is of the same anchor. */
void candidates_search_resume(struct candidates_search *search, const uint32_t *at);
/* True: `providers` and `at` are the next way. */
bool candidates_search_next(struct candidates_search *search);
void candidates_search_clear(struct candidates_search *search);

/* ---- subtree.c: within the search ---- */

/* To be called when the choices at an anchor are known. */
void candidates_subtree_begin(struct candidates_search *search);
/* Takes in the provider that fills slot `depth`. False when it cannot go with those of
 * the slots before it: of each same_subtree the provider above all has been chosen, or
 * a slot that is still open can take it. */
bool candidates_subtree_fill(struct candidates_search *search, size_t depth);

#endif
