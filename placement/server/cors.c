#include "placement/server/cors.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

/* The origin that the reply names; NULL when the request's origin is not allowed. */
static const char *allowed_origin(const struct cors *cors,
                                  const struct request *request)
{
    if (!request->origin)
        return NULL;
    if (strlist_contains(cors->origins, request->origin))
        return request->origin;
    return strlist_contains(cors->origins, "*") ? "*" : NULL;
}

static void allow(const struct cors *cors, struct reply *reply, const char *origin)
{
    reply->vary_origin = true;
    reply_header(reply, "Access-Control-Allow-Origin", origin);
    if (cors->credentials)
        reply_header(reply, "Access-Control-Allow-Credentials", "true");
}

static bool contains_word(const struct strlist *list, const char *word)
{
    for (size_t i = 0; i < list->count; i++)
        if (strcasecmp(list->items[i], word) == 0)
            return true;
    return false;
}

/* Headers that browsers send without asking the server before. */
static bool is_simple(const char *header)
{
    static const char *const simple[] = {
        "Accept",           "Accept-Language", "Content-Type",  "Cache-Control",
        "Content-Language", "Expires",         "Last-Modified", "Pragma"};
    for (size_t i = 0; i < sizeof simple / sizeof *simple; i++)
        if (strcasecmp(simple[i], header) == 0)
            return true;
    return false;
}

static bool headers_are_allowed(const struct cors *cors, const struct strlist *wanted)
{
    for (size_t i = 0; i < wanted->count; i++)
        if (!is_simple(wanted->items[i]) &&
            !contains_word(cors->headers, wanted->items[i]))
            return false;
    return true;
}

static void preflight(const struct cors *cors, struct request *request,
                      struct reply *reply)
{
    /* The API has no OPTIONS; the reply that was made for it is dropped. */
    reply_clear(reply);
    reply->status = 200;
    request->microversion = -1;
    const char *origin = allowed_origin(cors, request), *method = request->cors_method;
    if (!origin || !method || !strlist_contains(cors->methods, method))
        return;
    _cleanup_strlist_ struct strlist wanted = {0};
    if (request->cors_headers)
        wanted = strlist_split(request->cors_headers, ',');
    while (strlist_remove(&wanted, ""))
        continue;
    if (!headers_are_allowed(cors, &wanted))
        return;
    allow(cors, reply, origin);
    if (cors->max_age) {
        char seconds[16];
        snprintf(seconds, sizeof seconds, "%u", cors->max_age);
        reply_header(reply, "Access-Control-Max-Age", seconds);
    }
    reply_header(reply, "Access-Control-Allow-Methods", method);
    _cleanup_free_ char *names = strlist_join(&wanted, ",");
    if (*names)
        reply_header(reply, "Access-Control-Allow-Headers", names);
}

void cors_apply(const struct cors *cors, struct request *request, struct reply *reply)
{
    if (cors->origins->count == 0)
        return;
    if (strcmp(request->method, "OPTIONS") == 0) {
        preflight(cors, request, reply);
        return;
    }
    const char *origin = allowed_origin(cors, request);
    if (!origin)
        return;
    allow(cors, reply, origin);
    _cleanup_free_ char *names = strlist_join(cors->exposed, ",");
    if (*names)
        reply_header(reply, "Access-Control-Expose-Headers", names);
}
