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

/* The memory of all bodies together. When it is used up, the largest of those that are
 * not whole yet is given up: a client that sends much, or slowly, does not keep others
 * from sending a little. All zero but `max` is unused. */
struct bodies {
    size_t max, used;       /* bytes */
    struct incoming *first; /* of those that have some */
};

struct incoming {
    struct request request;
    int refused; /* it is to be answered with this status: too large, or 400, where it is
                    not clear where it ends; then its connection must end. 0: it is not */
    const char *problem; /* of a 400 */
    struct incoming_limits limits;
    struct bodies *bodies;
    size_t header_size, body_room;
    bool body_is_whole;
    const char *transfer_encoding; /* NULL: none */
    unsigned host_count;
    char *target, *path, *body, *api_version, *query_problem;
    struct incoming *next, **previous; /* in `bodies` while body_room > 0 */
};

/* `incoming` is all zero before. Copies the target ("/path?query"). `bodies` is
 * borrowed. */
void incoming_begin(struct incoming *incoming, const struct incoming_limits *limits,
                    struct bodies *bodies, const char *target);
/* `value` is borrowed as long as the request. */
void incoming_header(struct incoming *incoming, const char *name, const char *value);
/* All headers have come, of a request of that version ("HTTP/1.1"). Two that read the
 * same head must come to the same end of the request (RFC 9112): what a proxy could
 * read otherwise is refused. */
void incoming_headers_end(struct incoming *incoming, const char *version);
/* With 400 and a constant text; the first problem stays. */
void incoming_refuse(struct incoming *incoming, const char *problem);
/* After that: whether a body follows. */
bool incoming_has_body(const struct incoming *incoming);
/* What is too much is dropped. */
void incoming_body(struct incoming *incoming, const char *data, size_t size);
/* All has come. */
void incoming_end(struct incoming *incoming);
/* It is needed no more. */
void incoming_drop_body(struct incoming *incoming);
void incoming_clear(struct incoming *incoming);

#endif
