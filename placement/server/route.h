/*
 * route: which handler answers what. One table lists every method and path of the API
 * with the microversions it exists in; not found, method not allowed (with Allow), the
 * checks of Accept and Content-Type and the policy rule follow from it. Stateless.
 */
#ifndef PLACEMENT_SERVER_ROUTE_H
#define PLACEMENT_SERVER_ROUTE_H

#include <stdbool.h>

#include "placement/server/message/reply.h"
#include "placement/server/message/request.h"

struct store;

/* Answers one request: 0 with the reply filled, or -1 with a problem in it
 * (reply_problem). After -1 the store is unchanged. */
typedef int handler(struct store *store, const struct request *request,
                    struct reply *reply);

struct route {
    const char *method;
    const char *path; /* "/resource_providers/{uuid}/inventories" */
    int since, until; /* microversions 1.x; until 0: to the latest */
    handler *handle;
    const char *rule; /* of the policy; NULL: open to all */
    unsigned flags;
};

enum {
    ROUTE_TAKES_JSON = 1,    /* content-type must be application/json, else 415 */
    ROUTE_GIVES_JSON = 2,    /* accept must let application/json through, else 406 */
    ROUTE_MEDIA_FIRST = 4,   /* these two are looked at before the microversion */
    ROUTE_TOO_OLD_IS_405 = 8 /* below `since`: 405, not 404 */
};

/* Finds the route and does the checks that need no policy. Fills request->path_items,
 * which point into `path_storage` (the caller keeps it as long as the request). NULL
 * with a problem in `reply`. */
const struct route *route_find(struct request *request, char *path_storage,
                               struct reply *reply);

/* All of them, ended by method NULL. */
extern const struct route routes[];

/* The handlers, one file a resource. */
handler root_get;
handler resource_classes_list, resource_class_create, resource_class_get,
    resource_class_rename, resource_class_ensure, resource_class_delete;
handler resource_providers_list, resource_provider_create, resource_provider_get,
    resource_provider_update, resource_provider_delete;
handler inventories_get, inventory_create, inventories_set, inventories_delete,
    inventory_get, inventory_update, inventory_delete;
handler provider_usages_get, total_usages_get;
handler aggregates_get, aggregates_set;
handler traits_list, trait_get, trait_ensure, trait_delete;
handler provider_traits_get, provider_traits_set, provider_traits_delete;
handler provider_allocations_get;
handler allocations_get, allocations_set, allocations_delete, allocations_post;
handler allocation_candidates_list;
handler reshape;

#endif
