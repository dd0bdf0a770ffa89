/*
 * search: all ways to fill the slots of a plan in one anchor's tree, one
 * after the other, by depth-first search: a slot is filled only with what still fits
 * with those before it, so no product of lists is ever made. The position is a row of
 * numbers, from which the search can go on later.
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
    const struct node *node;
    uint64_t traits;
};

struct choices {
    struct choice *items;
    size_t count, room;
};

struct candidates_search {
    const struct candidates_plan *plan;
    const struct candidates_anchors *anchors;
    const struct node *anchor;
    struct choices *choices; /* by slot */
    uint64_t *traits_from;   /* by slot: what it and those after it can bring */
    uint64_t *traits_until;  /* by slot: what is met by those filled, it included */
    uint64_t traits_wanted;
    uint32_t *at;              /* by slot: which of its choices */
    const struct node **nodes; /* by slot: the same as providers */
    const struct node **shared;
    size_t shared_count;
    uint64_t *work_left; /* shared by all searches of a request */
    bool started;
};

/* `work_left` is counted down, by one for about each provider looked at for a slot; at
 * 0 searches end. */
void candidates_search_init(struct candidates_search *search,
                            const struct candidates_plan *plan,
                            const struct candidates_anchors *anchors,
                            uint64_t *work_left);
/* Turns to another anchor. False when it is plain at once that nothing fits. */
bool candidates_search_begin(struct candidates_search *search,
                             const struct node *anchor);
/* Goes on after the position `at`, which is of the same anchor. */
void candidates_search_resume(struct candidates_search *search, const uint32_t *at);
/* True: `nodes` and `at` are the next way. */
bool candidates_search_next(struct candidates_search *search);
void candidates_search_clear(struct candidates_search *search);

#endif
