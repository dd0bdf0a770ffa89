/*
 * exchange: one request on one of libcurl's easy handles, from its settings to the reply:
 * what http, which sends one at a time, and http_many, which has several under way, share.
 * An exchange can be used again for the next request, and keeps its connection open.
 * Internal to placement/client.
 */
#ifndef PLACEMENT_CLIENT_EXCHANGE_H
#define PLACEMENT_CLIENT_EXCHANGE_H

#include <curl/curl.h>

#include "placement/client/http.h"

/* The reply as far as it was received. */
struct incoming {
    char *data;
    size_t length, room, max;
    bool too_large;
};

struct exchange {
    struct http *http; /* whose settings apply; borrowed */
    CURL *easy;
    struct curl_slist *headers;
    struct incoming in;
    char why[CURL_ERROR_SIZE]; /* libcurl's message on the failure */
};

struct http {
    const struct placement_config *options;
    size_t max_reply; /* bytes */
    bool (*interrupted)(void *data);
    void *interrupted_data;
    unsigned long requests;
    unsigned retry_after; /* seconds, of the last reply */
    /* "http://host:port" of each server that has ever answered */
    struct strlist answered;
    struct exchange one; /* for http_perform() */
};

void exchange_open(struct exchange *exchange, struct http *http);
void exchange_close(struct exchange *exchange);
/* Makes the handle ready to be performed. The body is borrowed until exchange_end(). */
void exchange_begin(struct exchange *exchange, const struct http_request *request);
/* The outcome of the transfer that ended with `rc`: as http_perform(). */
int exchange_end(struct exchange *exchange, CURLcode rc, struct http_reply *reply,
                 struct error *err);

bool http_is_interrupted(const struct http *http);

#endif
