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

/* A provider that may fill a slot, and the bits of the wanted sets of traits (the first
 * 64) that it meets. */
struct choice {
    const struct resource_provider *provider;
    uint64_t traits;
    /* the part of the slot's first class that is in use; 0 in upstream's order */
    double share;
};

struct choices {
    struct choice *items;
    size_t count, room;
};

/* A provider, and the bits of the groups that it may serve. */
struct offer {
    const struct resource_provider *provider;
    uint64_t groups;
};

/* For one same_subtree, what the filled slots of its groups have in common. */
struct common {
    /* The lowest provider that is an ancestor of all others, or itself one of them.
     * NULL: no slot is filled. */
    const struct resource_provider *top;
    bool chosen; /* `top` itself fills one of the slots */
};

struct candidates_search {
    const struct candidates_plan *plan;
    struct candidates_anchors *anchors;
    const struct resource_provider *anchor;
    struct choices *choices; /* one entry for each slot */
    /* by slot: traits that it and the slots after it can bring */
    uint64_t *traits_from;
    uint64_t *traits_until; /* by slot: traits that the filled slots up to it bring */
    uint64_t traits_wanted;
    /* by slot: index of the choice that fills it, and the provider of that choice */
    uint32_t *at;
    const struct resource_provider **providers;
    const struct resource_provider **shared;
    size_t shared_count;
    /* sorted by the provider's address; only made for same_subtrees */
    struct offer *offers;
    size_t offer_count;
    uint64_t *groups_from; /* by slot: groups of it and of the slots after it */
    /* by slot and same_subtree: state once that slot is filled */
    struct common *common;
    uint64_t try_cost; /* steps that one try of a provider for a slot takes */
    uint64_t unmasked_cost;
    bool started;
};

/* `plan` and `anchors` are borrowed. Every search ends when the budget of the plan is
 * spent. */
void candidates_search_init(struct candidates_search *search,
                            const struct candidates_plan *plan,
                            struct candidates_anchors *anchors);
/* Begins the search at another anchor. False when no candidate can exist there. */
bool candidates_search_begin(struct candidates_search *search,
                             const struct resource_provider *anchor);
/* Makes the search continue after the position `at`, which was reached at this anchor.
 */
void candidates_search_resume(struct candidates_search *search, const uint32_t *at);
/* Finds the next way to fill all slots. True: it is in `providers` and `at`. */
bool candidates_search_next(struct candidates_search *search);
void candidates_search_clear(struct candidates_search *search);

/* ---- subtree.c: within the search ---- */

/* To be called once the choices of all slots at an anchor are known. */
void candidates_subtree_begin(struct candidates_search *search);
/* Notes the provider that fills slot `depth`. False when it cannot go together with the
 * providers of the slots before it: for each same_subtree the provider above all others
 * must have been chosen, or a slot that is still open must be able to take it. */
bool candidates_subtree_fill(struct candidates_search *search, size_t depth);

#endif
