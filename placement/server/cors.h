/*
 * cors: which web pages of other origins may use the API, as oslo.middleware has it.
 * Off while no origin is allowed; on, every OPTIONS request is answered with 200. Plain
 * data, borrowed from the configuration.
 */
#ifndef PLACEMENT_SERVER_CORS_H
#define PLACEMENT_SERVER_CORS_H

#include <stdbool.h>

#include "lib/strlist.h"
#include "placement/server/message/reply.h"
#include "placement/server/message/request.h"

struct cors {
    const struct strlist *origins, *headers, *methods, *exposed;
    bool credentials;
    unsigned max_age; /* seconds; 0: the header is not sent */
};

/* Adds the headers of CORS to the reply, and answers OPTIONS. */
void cors_apply(const struct cors *cors, struct request *request, struct reply *reply);

#endif
