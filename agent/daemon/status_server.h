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

struct status_server;

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
int status_server_new(const char *address, const struct http_pages *pages,
                      struct status_server **out, struct error *err);
/* NULL is fine; so in all that follow. */
void status_server_free(struct status_server *http);
DEFINE_CLEANUP(struct status_server *, status_server_free)

/* "127.0.0.1:9190", with the port that the kernel chose where 0 was asked for. */
const char *status_server_address(const struct status_server *http);

/* Readable when there is something to do; -1: never. */
int status_server_fd(const struct status_server *http);
/* Milliseconds until http_status_run() is due even so; -1: no hurry. */
int status_server_timeout(const struct status_server *http);
/* Does what there is to do, and does not wait. */
void status_server_run(struct status_server *http);

#endif
