/*
 * status_server: a very small HTTP server on libmicrohttpd, for monitoring. It runs
 * inside the caller's loop, on the caller's thread: poll http_status_fd() for input and
 * http_status_timeout(), call http_status_run(). Pages are made when they are asked
 * for. Bounded in connections (when there are too many, the one that has been idle
 * longest goes), memory, and time for each request.
 */
#ifndef AGENT_DAEMON_STATUS_SERVER_H
#define AGENT_DAEMON_STATUS_SERVER_H

#include "lib/cleanup.h"
#include "lib/error.h"

struct http_status;

struct http_page {
    unsigned status;
    const char *type; /* "text/plain; charset=utf-8" */
    char *text;       /* http_status frees it */
};

/* Fills in the page of that path (without the query); left alone: there is none. */
struct http_pages {
    void (*make)(void *data, const char *path, struct http_page *page);
    void *data;
};

/* Listens at `address`, as in config/listen_address.h. */
int http_status_new(const char *address, const struct http_pages *pages,
                    struct http_status **out, struct error *err);
/* NULL is fine; so in all that follow. */
void http_status_free(struct http_status *http);
DEFINE_CLEANUP(struct http_status *, http_status_free)

/* "127.0.0.1:9190", with the port that the kernel chose where 0 was asked for. */
const char *http_status_address(const struct http_status *http);

/* Readable when there is something to do; -1: never. */
int http_status_fd(const struct http_status *http);
/* Milliseconds until http_status_run() is due even so; -1: no hurry. */
int http_status_timeout(const struct http_status *http);
/* Does what there is to do, and does not wait. */
void http_status_run(struct http_status *http);

#endif
