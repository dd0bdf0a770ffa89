/*
 * reply: what a handler answers. It writes JSON into `body` and sets the status and
 * what else it needs; or it gives up with reply_problem(), which makes the error body
 * of the OpenStack API guideline later, when the request's id and microversion are
 * known.
 *
 * The reply owns what is in it. One thread.
 */
#ifndef PLACEMENT_SERVER_MESSAGE_REPLY_H
#define PLACEMENT_SERVER_MESSAGE_REPLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/error.h"
#include "lib/json_write.h"
#include "placement/server/message/request.h"

/* The values of errors[].code, which is sent since 1.23. */
#define CODE_UNDEFINED "placement.undefined_code"
#define CODE_CONCURRENT_UPDATE "placement.concurrent_update"
#define CODE_DUPLICATE_NAME "placement.duplicate_name"
#define CODE_INVENTORY_INUSE "placement.inventory.inuse"
#define CODE_PROVIDER_INUSE "placement.resource_provider.inuse"
#define CODE_PROVIDER_IS_PARENT "placement.resource_provider.cannot_delete_parent"
#define CODE_PROVIDER_NOT_FOUND "placement.resource_provider.not_found"
#define CODE_QUERY_DUPLICATE_KEY "placement.query.duplicate_key"
#define CODE_QUERY_BAD_VALUE "placement.query.bad_value"
#define CODE_QUERY_MISSING_VALUE "placement.query.missing_value"

struct reply {
    int status;               /* 0 is 200 */
    struct json_writer body;  /* empty: no body and no content-type. What is not JSON is
                                 written to `body.out` */
    const char *content_type; /* of a body that is not JSON; NULL: application/json */
    char *location;           /* the path for the Location header */
    bool vary_origin;         /* the reply depends on the Origin header */
    bool last;                /* the connection is closed after it */
    bool timed;               /* send cache-control and last-modified (since 1.15) */
    int64_t last_modified;    /* seconds since 1970 */
    /* Of a problem (status >= 400): */
    const char *code; /* one of CODE_...; NULL: CODE_UNDEFINED */
    char *detail;
    char *allow; /* the Allow header of a 405 */
    /* Further headers. Names are constant, values belong to the reply. */
    struct reply_header {
        const char *name;
        char *value;
    } * headers;
    size_t header_count;
    size_t sent_bytes; /* size of the body, once it was handed to the HTTP server */
};

/* Makes the reply an error; what the handler wrote before is dropped. `code` is one of
 * CODE_..., or NULL. Returns -1, so that handlers can `return reply_problem(...)`. */
int reply_problem(struct reply *reply, int status, const char *code, const char *format,
                  ...) __attribute__((format(printf, 4, 5)));

/* Since 1.15 replies carry last-modified (0 or less: now) and cache-control: no-cache.
 */
void reply_last_modified(struct reply *reply, const struct request *request,
                         int64_t when);

/* Makes the body of a problem: JSON, or HTML or plain text where the request's Accept
 * header wants that. `request->microversion` is -1 while it is not known. */
void reply_finish_problem(struct reply *reply, const struct request *request);

void reply_header(struct reply *reply, const char *name, const char *value);

void reply_clear(struct reply *reply);

#endif
