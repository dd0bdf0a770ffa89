/*
 * request: what GET /allocation_candidates asks, taken out of its query
 * string: groups of filters by suffix, and what applies to all of them. What may be
 * asked depends on the microversion; refusals have upstream's status, code and words.
 * Names of classes, traits and providers are not looked up here.
 *
 * Plain data that the caller owns. Stateless.
 */
#ifndef PLACEMENT_SERVER_CANDIDATES_REQUEST_H
#define PLACEMENT_SERVER_CANDIDATES_REQUEST_H

#include <stdbool.h>

#include "placement/server/message/filters.h"
#include "placement/server/message/reply.h"
#include "placement/server/message/request.h"

/* More are refused: each group multiplies what may have to be tried. */
#define CANDIDATES_MAX_GROUPS 64
#define CANDIDATES_MAX_AMOUNTS 256 /* in all groups together */

/* The group without a suffix may be served by several providers of a tree and by
 * sharing ones; each other group by exactly one provider. */
struct candidates_group {
    char *suffix; /* "" for the one without */
    struct filters filters;
};

struct candidates_request {
    struct candidates_group *groups; /* in the order in which they came */
    size_t group_count;
    int64_t limit;               /* 0: none */
    bool isolate;                /* suffixed groups must have different providers */
    struct any_of root_required; /* of the anchor: sets of one */
    struct strlist root_forbidden;
    struct strlist *same_subtrees; /* of suffixes */
    size_t same_subtree_count;
};

/* Reads and checks `request`'s query. -1 with a problem (400) in `reply`. */
int candidates_request_read(const struct request *request,
                            struct candidates_request *out, struct reply *reply);
void candidates_request_clear(struct candidates_request *request);

#endif
