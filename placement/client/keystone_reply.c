#include <string.h>
#include <time.h>

#include "lib/xalloc.h"
#include "placement/client/keystone.h"

#define RENEW_BEFORE INT64_C(120) /* seconds */

/* "2026-11-20T09:12:00.000000Z", always UTC. */
static int read_time(struct json_object *json, const char *name, int64_t *out,
                     struct error *err)
{
    const char *text;
    struct tm time = {0};
    if (json_get_string(json, name, &text, err) != 0)
        return -1;
    const char *end = strptime(text, "%Y-%m-%dT%H:%M:%S", &time);
    if (end && *end == '.')
        end += 1 + strspn(end + 1, "0123456789");
    if (!end || strcmp(end, "Z") != 0)
        return error_set(err, ERROR_INVALID, "%s: '%.40s' is no time in UTC", name,
                         text);
    *out = timegm(&time);
    return 0;
}

int keystone_read_token(struct json_object *json, struct keystone_token *out,
                        struct error *err)
{
    struct json_object *token;
    int64_t issued, expires;
    if (json_get_object(json, "token", &token, err) != 0)
        return -1;
    if (read_time(token, "issued_at", &issued, err) != 0 ||
        read_time(token, "expires_at", &expires, err) != 0)
        return error_prefix(err, "token");
    *out = (struct keystone_token){expires, expires > issued ? expires - issued : 0};
    return 0;
}

int64_t keystone_renew_after(const struct keystone_token *token)
{
    return token->lifetime > 2 * RENEW_BEFORE ? token->lifetime - RENEW_BEFORE
                                              : token->lifetime / 2;
}

static bool has_text(struct json_object *json, const char *name, const char *wanted)
{
    const char *text;
    return json_get_string(json, name, &text, NULL) == 0 && strcmp(text, wanted) == 0;
}

/* The service type must match, and also the name where both sides have one. */
static bool is_service(struct json_object *service,
                       const struct placement_config *options)
{
    const char *type = options->service_type ? options->service_type : "placement";
    return has_text(service, "type", type) &&
           (!options->service_name || !json_member(service, "name") ||
            has_text(service, "name", options->service_name));
}

/* The service's URL for that interface; NULL when it has none. */
static const char *url_of(struct json_object *service, const char *interface,
                          const struct placement_config *options)
{
    struct json_object *endpoints;
    if (json_get_array(service, "endpoints", &endpoints, NULL) != 0)
        return NULL;
    for (size_t i = 0; i < json_object_array_length(endpoints); i++) {
        struct json_object *endpoint = json_object_array_get_idx(endpoints, i);
        const char *url;
        if (has_text(endpoint, "interface", interface) &&
            (!options->region_name ||
             has_text(endpoint, "region_id", options->region_name) ||
             has_text(endpoint, "region", options->region_name)) &&
            json_get_string(endpoint, "url", &url, NULL) == 0)
            return url;
    }
    return NULL;
}

static const char *find(struct json_object *catalog, const char *interface,
                        const struct placement_config *options)
{
    for (size_t i = 0; i < json_object_array_length(catalog); i++) {
        struct json_object *service = json_object_array_get_idx(catalog, i);
        const char *url =
            is_service(service, options) ? url_of(service, interface, options) : NULL;
        if (url)
            return url;
    }
    return NULL;
}

/* How many items a message lists. */
#define LISTED_MAX 8

static void add_text(struct strlist *list, struct json_object *json, const char *name,
                     const char *before)
{
    const char *text;
    if (json_get_string(json, name, &text, NULL) != 0)
        return;
    _cleanup_free_ char *item = xasprintf("%s%.64s", before, text);
    if (list->count < LISTED_MAX)
        strlist_add_unique(list, item);
    else if (list->count == LISTED_MAX && !strlist_contains(list, item))
        strlist_add(list, "and others");
}

/* "public in RegionOne", "internal in RegionTwo" */
static void list_endpoints(struct strlist *list, struct json_object *service)
{
    struct json_object *endpoints;
    if (json_get_array(service, "endpoints", &endpoints, NULL) != 0)
        return;
    for (size_t i = 0; i < json_object_array_length(endpoints); i++) {
        struct json_object *endpoint = json_object_array_get_idx(endpoints, i);
        const char *interface;
        if (json_get_string(endpoint, "interface", &interface, NULL) != 0)
            continue;
        _cleanup_free_ char *before = xasprintf("%.16s in ", interface);
        add_text(list, endpoint,
                 json_member(endpoint, "region_id") ? "region_id" : "region", before);
    }
}

/* For the error: the endpoints of the service, or else the services in the catalog. */
static char *what_there_is(struct json_object *catalog,
                           const struct placement_config *options)
{
    _cleanup_strlist_ struct strlist endpoints = {0}, names = {0}, types = {0};
    const char *type = options->service_type ? options->service_type : "placement";
    for (size_t i = 0; i < json_object_array_length(catalog); i++) {
        struct json_object *service = json_object_array_get_idx(catalog, i);
        add_text(&types, service, "type", "");
        if (is_service(service, options))
            list_endpoints(&endpoints, service);
        else if (has_text(service, "type", type))
            add_text(&names, service, "name", "");
    }
    const struct strlist *list = endpoints.count ? &endpoints
                                 : names.count   ? &names
                                                 : &types;
    _cleanup_free_ char *joined = strlist_join(list, ", ");
    if (list->count == 0)
        return xstrdup("it is empty");
    return xasprintf("%s %s",
                     endpoints.count ? "it has"
                     : names.count   ? "by that type it has the services"
                                     : "it has services of the types",
                     joined);
}

static int none_found(struct json_object *catalog,
                      const struct placement_config *options,
                      const struct strlist *interfaces, struct error *err)
{
    _cleanup_free_ char *joined = strlist_join(interfaces, ", ");
    _cleanup_free_ char *there = what_there_is(catalog, options);
    return error_set(
        err, ERROR_INVALID,
        "Keystone's catalog has no endpoint with service_type %s%s%s%s%s, interface "
        "%s; %s",
        options->service_type ? options->service_type : "placement",
        options->service_name ? ", service_name " : "",
        options->service_name ? options->service_name : "",
        options->region_name ? ", region_name " : "",
        options->region_name ? options->region_name : "", joined, there);
}

int keystone_read_endpoint(struct json_object *json,
                           const struct placement_config *options, char **out,
                           struct error *err)
{
    static char *usual[] = {(char *)"internal", (char *)"public"};
    const struct strlist defaults = {usual, 2};
    const struct strlist *interfaces =
        options->valid_interfaces.count ? &options->valid_interfaces : &defaults;
    struct json_object *catalog;
    if (json_get_array(json_member(json, "token"), "catalog", &catalog, err) != 0)
        return error_prefix(err, "token (is it scoped to a project?)");
    for (size_t i = 0; i < interfaces->count; i++) {
        const char *url = find(catalog, interfaces->items[i], options);
        if (url) {
            *out = xstrdup(url);
            return 0;
        }
    }
    return none_found(catalog, options, interfaces, err);
}
