/*
 * status: all providers with what is used of them, as JSON on GET /status.json of the
 * metrics' address, for the page that is there (placement/server/page/). In pieces: the
 * reply has some hundred providers and says where the next ones begin, so that no reply
 * takes more time or memory of the API's one thread than a small request of its own.
 * Reads the graph; changes nothing.
 */
#ifndef PLACEMENT_SERVER_STATUS_H
#define PLACEMENT_SERVER_STATUS_H

#include "placement/server/message/reply.h"
#include "placement/server/message/request.h"
#include "placement/server/store/store.h"

void status_answer(const struct store *store, const struct request *request,
                   struct reply *reply);

#endif
