/*
 * handlers: what several resources' handlers share.
 */
#ifndef PLACEMENT_SERVER_HANDLERS_HANDLERS_H
#define PLACEMENT_SERVER_HANDLERS_HANDLERS_H

#include "placement/server/route.h"
#include "placement/server/schema/schema.h"
#include "placement/server/store/store.h"

/* The provider that the path names, or NULL with 404 in the reply. */
struct node *handler_provider(struct store *store, const struct request *request,
                              struct reply *reply);

/* The same with the words of upstream's handlers that quote the error in itself:
 * "... found", `between`, "... found". */
struct node *handler_provider_quoted(struct store *store, const struct request *request,
                                     const char *between, struct reply *reply);

/* A 204 without body. */
int handler_no_content(struct reply *reply);

/* A database error while changing something: 503. The batch it is in is lost, see
 * store.h. */
int handler_failed(struct reply *reply, const struct error *err);

/* Sorts an array of pointers and drops those that are there more than once. */
void handler_sort_unique(void *pointers, size_t *count,
                         int (*compare)(const void *a, const void *b));

#endif
