/*
 * status_server: a very small HTTP server on libmicrohttpd, for monitoring. It runs in
 * the caller's loop and thread: poll status_server_fd() for input, for at most
 * status_server_timeout(), then call status_server_run(). A page is made when it is
 * requested. Bounded are the connections (when there are too many, the one that was
 * idle longest is closed), the memory, and the time of each request.
 */
#ifndef AGENT_DAEMON_STATUS_SERVER_H
#define AGENT_DAEMON_STATUS_SERVER_H

#include "lib/cleanup.h"
#include "lib/error.h"

struct status_server;

struct http_page {
    unsigned status;
    const char *type;   /* "text/plain; charset=utf-8" */
    char *text;         /* the server frees it */
    const char *policy; /* Content-Security-Policy; NULL: nothing may run */
};

/* `make` fills in the page of that path (without the query); where it leaves the page
 * as it is, the reply is 404. */
struct http_pages {
    void (*make)(void *data, const char *path, struct http_page *page);
    void *data;
};

/* Listens at `address`, as in config/listen_address.h. */
int status_server_new(const char *address, const struct http_pages *pages,
                      struct status_server **out, struct error *err);
/* All functions from here on accept NULL. */
void status_server_free(struct status_server *http);
DEFINE_CLEANUP(struct status_server *, status_server_free)

/* The address with the port, "127.0.0.1:9190"; the kernel chooses the port where the
 * configured one is 0. */
const char *status_server_address(const struct status_server *http);

/* A descriptor that is readable when status_server_run() has something to do; -1: there
 * is none. */
int status_server_fd(const struct status_server *http);
/* Milliseconds after which status_server_run() is to be called also without input; -1:
 * never. */
int status_server_timeout(const struct status_server *http);
/* Does all that is due, without waiting. */
void status_server_run(struct status_server *http);

#endif
