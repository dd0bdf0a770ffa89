/*
 * request_reader: a request while it comes in, piece by piece: its target, headers and
 * body, with the memory that struct request borrows, and the limits on all of it. Knows
 * no HTTP library. One thread.
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
    struct incoming *first; /* requests that have memory for a body */
};

#define INCOMING_HEADERS 15 /* headers that are read */

struct incoming {
    struct request request;
    /* The status to be answered with: too large, or 400 where it is not clear where the
     * request ends, and then the connection ends, too. 0: the request is not refused.
     */
    int refused;
    const char *problem; /* the text of a 400 */
    struct incoming_limits limits;
    struct bodies *bodies;
    size_t header_size, body_room;
    bool body_is_whole, bad_length;
    const char *transfer_encoding;  /* NULL: none */
    unsigned seen;                  /* bits: which of the headers have come, */
    char *values[INCOMING_HEADERS]; /* their values where they are not borrowed */
    char *target, *path, *body, *query_problem;
    struct incoming *next, **previous; /* neighbours in `bodies` while body_room > 0 */
};

/* `incoming` is all zero before. Copies the target ("/path?query"). `bodies` is
 * borrowed. */
void incoming_begin(struct incoming *incoming, const struct incoming_limits *limits,
                    struct bodies *bodies, const char *target);
/* Reads a header, whose value has no blanks at its beginning. `value` is borrowed as long
 * as the request lives. */
void incoming_header(struct incoming *incoming, const char *name, const char *value);
/* A Content-Length is no number: that is left to whoever answers. There is no body, and
 * the connection ends. */
void incoming_has_bad_length(struct incoming *incoming);
/* All headers have come, of a request of that version ("HTTP/1.1"). Two that read the
 * same head must come to the same end of the request (RFC 9112): what a proxy could
 * read otherwise is refused. */
void incoming_headers_end(struct incoming *incoming, const char *version);
/* Refuses the request with 400 and a constant text, unless it was refused before. */
void incoming_refuse(struct incoming *incoming, const char *problem);
/* Whether a body follows; known after incoming_headers_end(). */
bool incoming_has_body(const struct incoming *incoming);
/* Adds a piece of the body. What exceeds the limits is dropped. */
void incoming_body(struct incoming *incoming, const char *data, size_t size);
/* To be called when the whole request has come. */
void incoming_end(struct incoming *incoming);
/* Frees the memory of the body, which is no longer needed. */
void incoming_drop_body(struct incoming *incoming);
void incoming_clear(struct incoming *incoming);

#endif
