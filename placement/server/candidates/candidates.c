#include "placement/server/candidates/candidates.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "lib/xalloc.h"
#include "placement/server/candidates/anchors.h"
#include "placement/server/candidates/search.h"

/* The position of the search at one anchor, for a breadth-first walk to come back to.
 */
struct place {
    const struct resource_provider *anchor;
    uint32_t *at;
};

/* A candidate that was given out, for tsearch(3). */
struct given {
    size_t count;
    const struct resource_provider *providers[];
};

struct candidates {
    const struct candidates_plan *plan;
    struct candidates_anchors anchors;
    struct candidates_search search;
    bool breadth_first;
    bool in_anchor;       /* depth first: the search is at an anchor */
    struct place *places; /* breadth first: anchors that may have more */
    size_t place_count, place_kept, place_next;
    bool all_anchors; /* breadth first: every anchor has been visited */
    /* tree of the candidates given so far that consist of sharing providers only */
    void *given;
};

struct candidates *candidates_new(const struct candidates_plan *plan,
                                  bool breadth_first)
{
    struct candidates *new = xcalloc(1, sizeof *new);
    new->plan = plan;
    new->breadth_first = breadth_first;
    candidates_anchors_begin(plan, &new->anchors);
    candidates_search_init(&new->search, plan, &new->anchors);
    return new;
}

void candidates_free(struct candidates *candidates)
{
    if (!candidates)
        return;
    for (size_t i = 0; i < candidates->place_count; i++)
        if (i < candidates->place_kept || i >= candidates->place_next)
            /* the places between are kept copies or were freed */
            free(candidates->places[i].at);
    free(candidates->places);
    tdestroy(candidates->given, free);
    candidates_search_clear(&candidates->search);
    candidates_anchors_end(&candidates->anchors);
    free(candidates);
}

/* ---- the same candidate, seen from another tree ---- */

static int compare_given(const void *a, const void *b)
{
    const struct given *one = a, *other = b;
    return memcmp(one->providers, other->providers,
                  one->count * sizeof *one->providers);
}

/* Only a candidate of nothing but sharing providers can have more than one anchor. */
static bool has_one_anchor(const struct candidates *candidates)
{
    const struct trait *sharing = candidates->plan->graph->sharing;
    if (sharing->providers.count == 0)
        return true;
    for (size_t i = 0; i < candidates->plan->slot_count; i++)
        if (!provider_has_trait(candidates->search.providers[i], sharing))
            return true;
    return false;
}

static bool is_new(struct candidates *candidates)
{
    if (has_one_anchor(candidates))
        return true;
    size_t count = candidates->plan->slot_count;
    size_t size = sizeof(struct given) + count * sizeof(struct resource_provider *);
    if (!budget_take_memory(candidates->plan->budget, size))
        return false;
    struct given *given = xcalloc(1, size);
    given->count = count;
    memcpy(given->providers, candidates->search.providers,
           count * sizeof *given->providers);
    void *found = tsearch(given, &candidates->given, compare_given);
    if (!found)
        abort(); /* out of memory, as in xalloc */
    if (*(struct given **)found == given)
        return true;
    free(given);
    return false;
}

/* ---- the order ---- */

static bool next_depth_first(struct candidates *candidates)
{
    for (;;) {
        if (candidates->in_anchor && candidates_search_next(&candidates->search))
            return true;
        const struct resource_provider *anchor =
            candidates_anchors_next(&candidates->anchors);
        if (!anchor)
            return false;
        candidates->in_anchor = candidates_search_begin(&candidates->search, anchor);
    }
}

/* Finds the first candidate of the next anchor that has one. */
static bool next_new_place(struct candidates *candidates)
{
    const struct resource_provider *anchor;
    struct candidates_search *search = &candidates->search;
    while ((anchor = candidates_anchors_next(&candidates->anchors))) {
        if (!candidates_search_begin(search, anchor) || !candidates_search_next(search))
            continue;
        size_t size = candidates->plan->slot_count * sizeof *search->at;
        if (!budget_take_memory(candidates->plan->budget, sizeof(struct place) + size))
            break;
        struct place *place = array_add(candidates->places, candidates->place_count);
        *place = (struct place){.anchor = anchor, .at = xcalloc(1, size)};
        memcpy(place->at, search->at, size);
        return true;
    }
    candidates->all_anchors = true;
    candidates->place_next = candidates->place_kept = 0;
    return false;
}

/* Finds the next candidate of an anchor that was visited before. Anchors without a
 * further candidate are dropped. */
static bool next_old_place(struct candidates *candidates)
{
    struct candidates_search *search = &candidates->search;
    while (candidates->place_count > 0) {
        if (candidates->place_next == candidates->place_count) {
            candidates->place_count = candidates->place_kept;
            candidates->place_next = candidates->place_kept = 0;
            continue;
        }
        struct place place = candidates->places[candidates->place_next++];
        bool more = candidates_search_begin(search, place.anchor);
        if (more)
            candidates_search_resume(search, place.at);
        if (!more || !candidates_search_next(search)) {
            free(place.at);
            continue;
        }
        memcpy(place.at, search->at, candidates->plan->slot_count * sizeof *search->at);
        candidates->places[candidates->place_kept++] = place;
        return true;
    }
    return false;
}

static bool next_any(struct candidates *candidates)
{
    if (!candidates->breadth_first)
        return next_depth_first(candidates);
    return (!candidates->all_anchors && next_new_place(candidates)) ||
           next_old_place(candidates);
}

const struct resource_provider *const *candidates_next(struct candidates *candidates)
{
    while (next_any(candidates))
        if (is_new(candidates))
            return candidates->search.providers;
    return NULL;
}
