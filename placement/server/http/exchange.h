/*
 * exchange: one request with its reply, from the first header to the last byte sent, as
 * libmicrohttpd tells of it. It is admitted once its headers have come, read, answered,
 * and sent; while it waits to be admitted, and while its reply is held back, its
 * connection is suspended. One thread.
 */
#ifndef PLACEMENT_SERVER_HTTP_EXCHANGE_H
#define PLACEMENT_SERVER_HTTP_EXCHANGE_H

#include <microhttpd.h>

#include "placement/server/http/http.h"
#include "placement/server/http/request_id.h"
#include "placement/server/http/request_reader.h"
#include "placement/server/http/unread.h"

/* libmicrohttpd keeps more in a connection's memory than the header itself, such as the
 * parameters of the URL one by one. It clears all of it for each request, in 6 of the 75
 * microseconds of a small one; half of it would hardly hold a target and headers that are
 * both as long as they may be. */
#define EXCHANGE_MEMORY_FACTOR 6

struct exchange;

/* All of a server, and what they share. */
struct exchanges {
    const struct http_options *options;
    struct http_hooks hooks;
    bool ending;  /* connections end with their next reply */
    bool stopped; /* nothing new is begun */
    size_t open;  /* that have begun and are not answered */
    struct exchange *waiting;
    struct exchange *held, **held_end;
    struct peers peers;
    struct bodies bodies;
    struct unread_list unread;
    struct request_ids ids;
};

/* `all` must be all zero; `options` are borrowed. */
void exchanges_begin(struct exchanges *all, const struct http_options *options,
                     const struct http_hooks *hooks);
/* See http_retry() and http_release(). */
void exchanges_retry(struct exchanges *all);
void exchanges_release(struct exchanges *all,
                       void (*again)(void *context, struct request *request,
                                     struct reply *reply),
                       void *context);
/* Before libmicrohttpd ends, when no connection may be suspended. */
void exchanges_stop(struct exchanges *all);

/* What libmicrohttpd calls; `cls` is a struct exchanges *. The context of a connection
 * must be its struct peer *. */
void *exchange_on_target(void *cls, const char *target,
                         struct MHD_Connection *connection);
/* With the headers, again after a suspension then, with each piece of the body, and at
 * its end. */
enum MHD_Result exchange_on_access(void *cls, struct MHD_Connection *connection,
                                   const char *url, const char *method,
                                   const char *version, const char *upload_data,
                                   size_t *upload_data_size, void **con_cls);
void exchange_on_completed(void *cls, struct MHD_Connection *connection, void **con_cls,
                           enum MHD_RequestTerminationCode code);

#endif
