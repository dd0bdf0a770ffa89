/*
 * http: the HTTP server: its listener, its connections, and libmicrohttpd's turns, which
 * it has inside the caller's loop: poll http_fd() for input, call http_run(). Replies can
 * be held back: a reply that tells of changes that are not on disk yet waits for
 * http_release(). Only http, exchange and response know libmicrohttpd.
 *
 * Bounded: each body (413) and all together (503), all replies together (503), headers
 * and URL (431, 414), connections and their times (lib/connections.h). A request is
 * admitted or refused when its headers have come; no byte of the body of one that is
 * refused is kept. One thread.
 */
#ifndef PLACEMENT_SERVER_HTTP_HTTP_H
#define PLACEMENT_SERVER_HTTP_HTTP_H

#include <stdbool.h>
#include <stddef.h>

#include "config/listen_address.h"
#include "lib/cleanup.h"
#include "lib/connections.h"
#include "lib/error.h"
#include "placement/server/http/request_reader.h"
#include "placement/server/message/reply.h"
#include "placement/server/message/request.h"

struct http;

struct http_options {
    struct listen_address address; /* port 0: the kernel chooses */
    struct incoming_limits limits;
    size_t max_bodies;  /* bytes that the bodies of all requests may have together */
    size_t max_replies; /* the same of replies */
    struct peers_limits connections;
    const char *cert, *key; /* files (PEM), for HTTPS, borrowed; NULL: plain HTTP */
    unsigned idle_timeout;  /* seconds without a byte */
};

enum http_admission {
    HTTP_ADMITTED,
    HTTP_REFUSED, /* the reply says why */
    HTTP_LATER,   /* not known yet; it is asked again by http_retry() */
};

/* What the server does; `context` is passed on. */
struct http_hooks {
    void *context;
    /* Asked once the headers have come. */
    enum http_admission (*admit)(void *context, struct request *request,
                                 struct reply *reply);
    /* Asked once the whole request has come. */
    void (*answer)(void *context, struct request *request, struct reply *reply);
    /* Whether a reply made now must wait for http_release(). */
    bool (*must_wait)(void *context);
    /* A reply is on its way: for the access log. */
    void (*sent)(void *context, const struct request *request,
                 const struct reply *reply);
};

int http_start(const struct http_options *options, const struct http_hooks *hooks,
               struct http **out, struct error *err);
void http_stop(struct http *http);
DEFINE_CLEANUP(struct http *, http_stop)

/* "127.0.0.1:8778", with the real port. */
const char *http_address(const struct http *http);

/* Readable when http_run() has something to do. */
int http_fd(const struct http *http);
/* Milliseconds until http_run() is due even so; -1: no hurry. */
int http_timeout(struct http *http);
void http_run(struct http *http);
/* Readable when http_drain() has something to do: it reads and drops what clients send
 * that were answered before they had sent all. */
int http_drain_fd(const struct http *http);
void http_drain(struct http *http);

/* Asks again about all that are not admitted yet. */
void http_retry(struct http *http);
/* Lets the held replies go; `again` (may be NULL) makes each anew before that. */
void http_release(struct http *http,
                  void (*again)(void *context, struct request *request,
                                struct reply *reply),
                  void *context);

/* Closes connections that take too long. To be called every second or so. */
void http_sweep(struct http *http);

/* Reads certificate and key again, where there are any, for connections from now on.
 * The old ones stay where the new ones are wrong. */
int http_reload_certificate(struct http *http, struct error *err);

/* Accepts no more connections. */
void http_quiesce(struct http *http);
/* Requests that have begun and are not answered. */
size_t http_open_requests(const struct http *http);

#endif
