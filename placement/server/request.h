/*
 * request: one HTTP request as handlers see it, without any HTTP library: plain data
 * that tests fill by hand. Strings are borrowed for the time of the call; header values
 * are NULL when the header is missing.
 */
#ifndef PLACEMENT_SERVER_REQUEST_H
#define PLACEMENT_SERVER_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "placement/server/identity.h"
#include "placement/server/query.h"

#define REQUEST_ID_SIZE 41 /* "req-" and a uuid */
#define MAX_PATH_ITEMS 2

struct request {
    const char *method;
    const char *path;                       /* decoded, without the query */
    const char *path_items[MAX_PATH_ITEMS]; /* what stood for {...} in the route */
    struct query query;
    const char *query_problem; /* why the query could not be decoded, else NULL */
    const char *accept, *content_type, *content_length;
    const char *body; /* NUL after it */
    size_t body_length;
    int microversion; /* 39 for 1.39 */
    char id[REQUEST_ID_SIZE];
    int64_t now; /* seconds since 1970 */
    struct identity identity;
};

/* The microversion asked for is at least 1.`minor`. */
static inline bool request_at_least(const struct request *request, int minor)
{
    return request->microversion >= minor;
}

#endif
