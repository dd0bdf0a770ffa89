/*
 * request_id: the ids that replies and the log name requests by: "req-" and a random
 * uuid. libuuid asks the kernel for each; at tens of thousands of requests a second
 * that is a good part of the work, so here the kernel is asked for many at once. One
 * thread.
 */
#ifndef PLACEMENT_SERVER_HTTP_REQUEST_ID_H
#define PLACEMENT_SERVER_HTTP_REQUEST_ID_H

#include <stddef.h>

#include "placement/server/message/request.h"

/* All zero is a source without random bytes in store. */
struct request_ids {
    unsigned char bytes[4096];
    size_t left; /* how many bytes, at the end, are unused */
};

void request_id_next(struct request_ids *ids, char out[REQUEST_ID_SIZE]);

#endif
