/*
 * request: one HTTP request as handlers see it, without any HTTP library: plain data
 * that tests fill by hand. Strings are borrowed for the time of the call; header values
 * are NULL when the header is missing.
 */
#ifndef PLACEMENT_SERVER_MESSAGE_REQUEST_H
#define PLACEMENT_SERVER_MESSAGE_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "placement/microversion.h"
#include "placement/server/message/budget.h"
#include "placement/server/message/identity.h"
#include "placement/server/message/query.h"

#define REQUEST_ID_SIZE 41 /* "req-" and a uuid */
#define MAX_PATH_ITEMS 2

struct request {
    const char *method;
    const char *path;       /* decoded, without the query */
    const char *raw_target; /* as the client sent it, for the log */
    /* the parts of the path for each {...} of the route */
    const char *path_items[MAX_PATH_ITEMS];
    struct query query;
    const char *query_problem; /* why the query could not be decoded, else NULL */
    const char *body;          /* followed by a NUL */
    size_t body_length;

    /* headers */
    const char *accept, *content_type, *content_length, *expect, *host;
    const char *api_version;  /* OpenStack-API-Version; several joined with commas */
    const char *token;        /* X-Auth-Token */
    const char *roles;        /* X-Roles */
    const char *project_id;   /* X-Project-Id */
    const char *system_scope; /* OpenStack-System-Scope */
    const char *domain_id;    /* X-Domain-Id */
    const char *global_id; /* X-Openstack-Request-Id: the client's own, for the log */
    /* Origin, Access-Control-Request-Method and -Headers */
    const char *origin, *cors_method, *cors_headers;

    const char *client;    /* the peer's address, for the log */
    const char *network;   /* what counts as one client; see lib/connections.h */
    const int *connection; /* the peer's socket; NULL: there is none */
    char id[REQUEST_ID_SIZE];
    int64_t now; /* seconds since 1970 */

    /* What the server has found out about the request: */
    int microversion; /* 39 for 1.39; -1 while it is not known */
    struct identity identity;
    /* work and memory that the reply may take; owned by the caller of the handler */
    struct budget *budget;
};

/* Whether the microversion asked for is that one (placement/microversion.h) or later.
 */
static inline bool request_at_least(const struct request *request, int microversion)
{
    return request->microversion >= microversion;
}

#endif
