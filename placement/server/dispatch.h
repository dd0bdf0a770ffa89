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
    struct tokens *tokens;        /* for Keystone; NULL: noauth2 */
    struct budget_pool pool;      /* the work that all requests share */
    bool any_host;                /* for noauth2: any Host header is accepted */
    const char *authenticate_uri; /* for Keystone: the URL that a 401 names */
};

/* Authenticates and authorizes a request whose headers have come, before its body is
 * read. 0: go on; -1: refused, with a complete reply; AUTH_LATER: to be called again
 * after tokens_collect(). */
int dispatch_admit(struct dispatch *api, struct request *request, struct reply *reply);

/* Answers a request that was admitted. The reply is complete, bodies of errors
 * included. Where the request wrote (store_is_changed()), it must not be sent before
 * store_commit(). */
void dispatch_answer(struct dispatch *api, struct request *request,
                     struct reply *reply);

/* Makes the reply anew, into an empty one, after a commit that failed for the reason in
 * `err`. A read is answered again; a write, which was undone, gets 503. */
void dispatch_answer_again(struct dispatch *api, struct request *request,
                           struct reply *reply, const struct error *err);

#endif
