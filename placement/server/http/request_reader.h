/*
 * request_reader: a request while it comes in, piece by piece: its target, headers and body,
 * with the memory that struct request borrows, and the limits on all of it. Knows no
 * HTTP library. One thread.
 */
#ifndef PLACEMENT_SERVER_HTTP_REQUEST_READER_H
#define PLACEMENT_SERVER_HTTP_REQUEST_READER_H

#include "placement/server/message/request.h"

struct incoming_limits {
    size_t max_body, max_header; /* bytes */
};

struct incoming {
    struct request request;
    int refused; /* it is too large, and is to be answered with this status; 0: it is
                    not */
    struct incoming_limits limits;
    size_t header_size, body_room;
    char *target, *path, *body, *api_version, *query_problem;
};

/* `incoming` is all zero before. Copies the target ("/path?query"). */
void incoming_begin(struct incoming *incoming, const struct incoming_limits *limits,
                    const char *target);
/* `value` is borrowed as long as the request. */
void incoming_header(struct incoming *incoming, const char *name, const char *value);
/* All headers have come. */
void incoming_headers_end(struct incoming *incoming);
/* What is too much is dropped. */
void incoming_body(struct incoming *incoming, const char *data, size_t size);
void incoming_clear(struct incoming *incoming);

#endif
