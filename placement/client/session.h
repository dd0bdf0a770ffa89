/*
 * session: one call of the API as a whole: where Placement is, the microversion, who
 * we are, the request, its reply as JSON or as an error. Below it is http, above it are
 * the verbs in client. Internal to placement/client.
 */
#ifndef PLACEMENT_CLIENT_SESSION_H
#define PLACEMENT_CLIENT_SESSION_H

#include "lib/json_read.h"
#include "lib/json_write.h"
#include "placement/client/auth.h"
#include "placement/client/client.h"

struct placement_client {
    const struct placement_config *options;
    struct http *http;
    struct auth *auth;
    char
        *base; /* the URL that was asked last, without a slash at its end; NULL: none */
    unsigned minor; /* of the microversion; 0: not agreed on yet */
};

struct call {
    const char *method;
    char *path; /* with the query; begins with '/' */
    char *body; /* JSON; NULL: none */
    size_t length;
};

/* What the call holds is freed. */
void call_clear(struct call *call);
#define _cleanup_call_ _cleanup_(call_clear)

/* *reply is the caller's; NULL where the server sent no body. It may be NULL when no
 * reply is wanted. */
int exchange(struct placement_client *client, const struct call *call,
             struct json_object **reply, struct error *err);

/* For a reply that `err` says is not as it should be: makes it a PROTOCOL error of
 * this call. Returns -1. */
int exchange_bad_reply(const struct placement_client *client, const struct call *call,
                       struct error *err);

#endif
