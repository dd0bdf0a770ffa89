/*
 * session: makes one call of the API: it finds Placement's URL, negotiates the
 * microversion, authenticates, sends the request, and gives the reply as JSON or as an
 * error. It uses http; client is built on it. Internal to placement/client.
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
    /* The URL of the last request, without a slash at its end; NULL: there was none. */
    char *base;
    unsigned minor;                   /* of the microversion; 0: not negotiated yet */
    const struct json_bounds *bounds; /* of replies */
};

struct call {
    const char *method;
    char *path; /* with the query; begins with '/' */
    char *body; /* JSON; NULL: none */
    size_t length;
    long *status;   /* gets the status of the reply; NULL: not wanted */
    unsigned minor; /* an older microversion than the negotiated one; 0: that one */
};

/* Frees the members of the call. */
void call_clear(struct call *call);
#define _cleanup_call_ _cleanup_(call_clear)

/* The caller frees *reply; it is NULL when the server sent no body. `reply` may be NULL
 * when none is wanted. */
int session_call(struct placement_client *client, const struct call *call,
                 struct json_object **reply, struct error *err);

/* The parts of session_call(), for who sends the request himself (batch.c). The request
 * points into itself, and is cleared also after a failure. */
struct session_request {
    struct http_request http;
    char *url;
    char version[64];
    const char *headers[4];
};
int session_request_make(struct placement_client *client, const struct call *call,
                         struct session_request *request, struct error *err);
void session_request_clear(struct session_request *request);
/* Asks for the versions, and sets client->minor. */
int session_agree_on_version(struct placement_client *client, struct error *err);
/* The reply, of any status, as JSON or as an error. */
int session_take_reply(const struct placement_client *client, const struct call *call,
                       const struct http_reply *reply, struct json_object **out,
                       struct error *err);
/* For a request without a reply, as `err` says: names the call there. Returns -1. */
int session_failed(const struct placement_client *client, const struct call *call,
                   struct error *err);

/* For a reply whose contents are wrong, as `err` says: makes `err` a PROTOCOL error of
 * this call. Returns -1. */
int session_bad_reply(const struct placement_client *client, const struct call *call,
                      struct error *err);

#endif
