/*
 * http: sends one request over libcurl and receives its reply: the transport below
 * client and auth_keystone. It keeps one easy handle with the open connections to the
 * servers; for requests that are under way together http_many has handles of its own.
 * It takes nothing from the environment: no proxy, no .netrc; and it follows no
 * redirect. A reply is limited in size and a request in time. One thread.
 *
 * An error here means that no whole reply was received (UNREACHABLE, TIMEOUT, PROTOCOL,
 * or INVALID for a TLS file that cannot be used); a reply of any status is a success.
 * The texts contain neither headers nor bodies.
 */
#ifndef PLACEMENT_CLIENT_HTTP_H
#define PLACEMENT_CLIENT_HTTP_H

#include <stdbool.h>
#include <stddef.h>

#include "config/config.h"
#include "lib/cleanup.h"
#include "lib/error.h"
#include "lib/json_read.h"

/* A tree of 2000 providers has 2 MB, 16000 objects and 60000 values; a catalog of 100
 * regions has as much. Any reply within these limits, with what is made of it, fits
 * into the MemoryMax of the units (tests/system/test_placement_views.py). */
#define HTTP_MAX_REPLY (4u << 20) /* bytes */
extern const struct json_bounds http_reply_bounds;

/* For who reads a whole Placement, and has the memory: a list of 100 000 providers. */
#define HTTP_LARGE_REPLY (256u << 20) /* bytes */
extern const struct json_bounds http_large_bounds;

struct http;

struct http_request {
    const char *method; /* "GET", "PUT" and so on */
    const char *url;
    const char *const *headers; /* lines "Name: value"; NULL at the end */
    /* Credentials. Copies that are made of them are wiped. */
    const char *authorization;       /* one more line "Name: value"; NULL: none */
    const char *username, *password; /* for basic authentication; NULL: none */
    const char *body;                /* NULL: none */
    size_t length;
};

struct http_reply {
    long status;
    char *body; /* NUL-terminated; never NULL */
    size_t length;
    unsigned retry_after; /* as http_retry_after() */
    char request_id[64];  /* X-Openstack-Request-Id; "": it had none */
};

/* Uses cafile, certfile, keyfile, insecure, timeout and the retries of `options`, which
 * are borrowed as long as it lives. */
struct http *http_new(const struct placement_config *options);
void http_free(struct http *http);
DEFINE_CLEANUP(struct http *, http_free)

/* Sends a request and waits for the reply, retries included. The caller clears the
 * reply, also after a failure. */
int http_perform(struct http *http, const struct http_request *request,
                 struct http_reply *reply, struct error *err);
void http_reply_clear(struct http_reply *reply);
#define _cleanup_reply_ _cleanup_(http_reply_clear)

/* A header of the last reply of http_perform(); NULL when it had none of that name.
 * Valid until the next request. */
const char *http_header(struct http *http, const char *name);

/* The longest that is waited for a server that asks to be asked later. */
#define HTTP_LONGEST_PAUSE 60 /* seconds */

/* The seconds that the last reply, a 503 or 429, asked to wait before the next request
 * (Retry-After); 0: none. http_perform() heeds it between its attempts, up to
 * HTTP_LONGEST_PAUSE; where it is more, the reply is given at once. */
unsigned http_retry_after(const struct http *http);

/* From now on replies up to HTTP_LARGE_REPLY are taken. */
void http_take_large(struct http *http);

/* The number of requests sent so far, retries included. */
unsigned long http_requests(const struct http *http);

/* Waits, as between two attempts. False when it was interrupted, also by a signal. */
bool http_wait(const struct http *http, double seconds);

/* `interrupted` is called about once a second during a request and the pauses between
 * attempts. When it returns true, the request ends with BUSY. It is for a daemon that
 * is told to stop. */
void http_set_interrupt(struct http *http, bool (*interrupted)(void *data), void *data);

/* Checks that `url` is http(s)://host[:port][/path] without user and query. INVALID
 * with a text that does not repeat the URL, since it may hold a password. */
int http_check_url(const char *url, struct error *err);

#endif
