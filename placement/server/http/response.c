#include "placement/server/http/response.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "lib/cleanup.h"
#include "lib/xalloc.h"

static void add_header(struct MHD_Response *response, const char *name,
                       const char *value)
{
    MHD_add_response_header(response, name, value);
}

static void add_date(struct MHD_Response *response, const char *name, int64_t when)
{
    char text[40];
    time_t seconds = when;
    struct tm parts;
    gmtime_r(&seconds, &parts);
    strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &parts);
    add_header(response, name, text);
}

/* Upstream sends an absolute URL, with the host as the client has written it. */
static void add_location(struct MHD_Response *response, const struct request *request,
                         const char *path, bool https)
{
    const char *host = request->host;
    _cleanup_free_ char *whole =
        host && *host ? xasprintf("%s://%s%s", https ? "https" : "http", host, path)
                      : NULL;
    add_header(response, "Location", whole ? whole : path);
}

static void add_vary(struct MHD_Response *response, bool version, bool origin)
{
    if (version || origin)
        add_header(response, "Vary",
                   !origin    ? "openstack-api-version"
                   : !version ? "Origin"
                              : "openstack-api-version,Origin");
}

struct MHD_Response *response_make(const struct request *request, struct reply *reply,
                                   bool https, bool last)
{
    bool has_body = reply->body.out.length > 0;
    size_t length = 0;
    char *text = json_writer_take(&reply->body, &length);
    struct MHD_Response *response =
        MHD_create_response_from_buffer(length, text, MHD_RESPMEM_MUST_FREE);
    if (!response)
        abort();
    reply->sent_bytes = length;
    if (has_body)
        add_header(response, "Content-Type",
                   reply->content_type ? reply->content_type : "application/json");
    if (request->microversion >= 0) {
        char version[32];
        snprintf(version, sizeof version, "placement 1.%d", request->microversion);
        add_header(response, "OpenStack-API-Version", version);
    }
    add_vary(response, request->microversion >= 0, reply->vary_origin);
    add_header(response, "X-Openstack-Request-Id", request->id);
    if (last)
        add_header(response, "Connection", "close");
    if (reply->location)
        add_location(response, request, reply->location, https);
    if (reply->allow)
        add_header(response, "Allow", reply->allow);
    if (reply->timed) {
        if (reply->last_modified > 0)
            add_date(response, "Last-Modified", reply->last_modified);
        add_header(response, "Cache-Control", "no-cache");
    }
    for (size_t i = 0; i < reply->header_count; i++)
        add_header(response, reply->headers[i].name, reply->headers[i].value);
    return response;
}
