/*
 * access_log: one line a request, with its id and the client's own for what it is part
 * of: who, what, status, bytes, microversion. Stateless.
 */
#ifndef PLACEMENT_SERVER_HTTP_ACCESS_LOG_H
#define PLACEMENT_SERVER_HTTP_ACCESS_LOG_H

#include "placement/server/message/reply.h"
#include "placement/server/message/request.h"

void access_log_write(const struct request *request, const struct reply *reply);

#endif
