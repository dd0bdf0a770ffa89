/*
 * dispatch: from a request to its reply: who asks (auth), which microversion, which
 * route, may they (policy), then the handler. Knows no sockets.
 */
#ifndef PLACEMENT_SERVER_DISPATCH_H
#define PLACEMENT_SERVER_DISPATCH_H

#include "placement/server/auth/tokens.h"
#include "placement/server/cors.h"
#include "placement/server/message/reply.h"
#include "placement/server/message/request.h"
#include "placement/server/policy/policy.h"
#include "placement/server/store/store.h"

struct dispatch {
    struct store *store;
    struct policy *policy;
    struct cors cors;
    struct tokens *tokens;        /* of Keystone; NULL: noauth2 */
    bool any_host;                /* of noauth2: whatever name the client calls us */
    const char *authenticate_uri; /* what a 401 then names */
};

/* Who asks, and may they: for when the headers have come, and no body yet. 0: go on;
 * -1: refused, with a reply that can be sent; AUTH_LATER: ask again when api->tokens
 * has collected. */
int dispatch_admit(struct dispatch *api, struct request *request, struct reply *reply);

/* Of one that was admitted. Leaves a reply that can be sent, error bodies included.
 * Where the request wrote (store_is_changed()), it must not be sent before
 * store_commit(). */
void dispatch_answer(struct dispatch *api, struct request *request,
                     struct reply *reply);

/* The commit failed, `err` says why: makes the reply that is now true, in an empty one. A
 * read is answered again, a write was not done: 503. */
void dispatch_answer_again(struct dispatch *api, struct request *request,
                           struct reply *reply, const struct error *err);

#endif
