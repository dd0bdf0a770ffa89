/*
 * response: what libmicrohttpd is to send, made of a reply. Stateless.
 */
#ifndef PLACEMENT_SERVER_HTTP_RESPONSE_H
#define PLACEMENT_SERVER_HTTP_RESPONSE_H

#include <microhttpd.h>

#include "placement/server/message/reply.h"
#include "placement/server/message/request.h"

/* Takes the body out of the reply. `last`: the connection ends after it. The caller
 * destroys what it gets. */
struct MHD_Response *response_make(const struct request *request, struct reply *reply,
                                   bool https, bool last);

#endif
