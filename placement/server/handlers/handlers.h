/*
 * handlers: the handlers of the API, one file a resource, and what several of them
 * share.
 */
#ifndef PLACEMENT_SERVER_HANDLERS_HANDLERS_H
#define PLACEMENT_SERVER_HANDLERS_HANDLERS_H

#include "placement/server/message/reply.h"
#include "placement/server/message/request.h"
#include "placement/server/schema/schema.h"
#include "placement/server/store/store.h"

/* Answers one request: 0 with the reply filled, or -1 with a problem in it
 * (reply_problem). After -1 the store is unchanged. */
typedef int handler(struct store *store, const struct request *request,
                    struct reply *reply);

handler version_document_get;
handler resource_classes_list, resource_class_create, resource_class_get,
    resource_class_rename, resource_class_ensure, resource_class_delete;
handler resource_providers_list, resource_provider_create, resource_provider_get,
    resource_provider_update, resource_provider_delete;
handler inventories_get, inventory_create, inventories_set, inventories_delete,
    inventory_get, inventory_update, inventory_delete;
handler usages_get_of_provider, usages_get_of_project;
handler aggregates_get, aggregates_set;
handler traits_list, trait_get, trait_ensure, trait_delete;
handler provider_traits_get, provider_traits_set, provider_traits_delete;
handler provider_allocations_get;
handler allocations_get, allocations_set, allocations_delete, allocations_post;
handler allocation_candidates_list;
handler reshaper_post;

/* The provider that the path names, or NULL with 404 in the reply. */
struct resource_provider *handler_provider(struct store *store,
                                           const struct request *request,
                                           struct reply *reply);

/* The same with the words of upstream's handlers that quote the error in itself:
 * "... found", `between`, "... found". */
struct resource_provider *handler_provider_quoted(struct store *store,
                                                  const struct request *request,
                                                  const char *between,
                                                  struct reply *reply);

/* A 204 without body. */
int handler_no_content(struct reply *reply);

/* A database error while changing something: 503. The batch it is in is lost, see
 * store.h. */
int handler_failed(struct reply *reply, const struct error *err);

/* Spends so many steps of the request's budget, and counts what has been written since
 * the last time. False when it is spent: 503, since a list that is not whole is none.
 */
bool handler_works(const struct request *request, uint64_t steps, struct reply *reply);

/* Sorts an array of pointers and drops those that are there more than once. */
void handler_sort_unique(void *pointers, size_t *count,
                         int (*compare)(const void *a, const void *b));

#endif
