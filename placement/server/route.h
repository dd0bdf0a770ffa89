/*
 * route: which handler answers what. One table lists every method and path of the API
 * with the microversions it exists in; not found, method not allowed (with Allow), the
 * checks of Accept and Content-Type and the policy rule follow from it. Stateless.
 */
#ifndef PLACEMENT_SERVER_ROUTE_H
#define PLACEMENT_SERVER_ROUTE_H

#include <stdbool.h>

#include "placement/microversion.h"
#include "placement/server/handlers/handlers.h"
#include "placement/server/policy/policy.h"

struct route {
    const char *method;
    const char *path; /* "/resource_providers/{uuid}/inventories" */
    int since;        /* its first microversion */
    handler *handle;
    enum policy_rule rule;
    unsigned flags;
    int until; /* its last microversion; 0: there is none */
};

enum {
    ROUTE_TAKES_JSON = 1,     /* content-type must be application/json, else 415 */
    ROUTE_GIVES_JSON = 2,     /* accept must let application/json through, else 406 */
    ROUTE_MEDIA_FIRST = 4,    /* these two are checked before the microversion */
    ROUTE_TOO_OLD_IS_405 = 8, /* below `since`: 405, not 404 */
    /* The policy is asked about the project that the query names; of the other routes,
     * about the asker's own. */
    ROUTE_OF_ASKED_PROJECT = 16
};

/* Finds the route and does the checks that need no policy. Fills request->path_items,
 * which point into `path_storage` (the caller keeps it as long as the request). NULL
 * with a problem in `reply`. */
const struct route *route_find(struct request *request, char *path_storage,
                               struct reply *reply);

/* All routes; the last one has the path NULL. */
extern const struct route routes[];

#endif
