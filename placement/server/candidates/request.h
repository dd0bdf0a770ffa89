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

/* Requests with more groups are refused, as each group multiplies the combinations that
 * may have to be tried. */
#define CANDIDATES_MAX_GROUPS 64
#define CANDIDATES_MAX_AMOUNTS 256 /* in all groups together */

/* The group without a suffix may be served by several providers of a tree and by
 * sharing ones; each other group by exactly one provider. */
struct candidates_group {
    char *suffix; /* "" for the group without a suffix */
    struct filters filters;
};

struct candidates_request {
    struct candidates_group *groups; /* in the order of the query */
    size_t group_count;
    int64_t limit;               /* 0: none */
    bool isolate;                /* suffixed groups must have different providers */
    struct any_of root_required; /* traits of the anchor: sets of one trait each */
    struct strlist root_forbidden;
    struct strlist *same_subtrees; /* each a list of suffixes */
    size_t same_subtree_count;
};

/* Reads and checks the query of `request`. Returns 0, or -1 with a problem (400) in
 * `reply`. */
int candidates_request_read(const struct request *request,
                            struct candidates_request *out, struct reply *reply);
void candidates_request_clear(struct candidates_request *request);

#endif
