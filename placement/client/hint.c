#include "placement/client/hint.h"

#include <string.h>

#include "lib/xalloc.h"

static bool is_redirection(long status)
{
    return status == 301 || status == 302 || status == 303 || status == 307 ||
           status == 308;
}

/* Keystone sends {"versions": {"values": [...]}}, and below /v3 {"version": {...}}. */
static bool is_keystones(struct json_object *json)
{
    struct json_object *member;
    return json_get_object(json, "versions", &member, NULL) == 0 ||
           json_get_object(json, "version", &member, NULL) == 0;
}

static char *what_answered(const struct http_reply *reply, const char *location)
{
    _cleanup_json_ struct json_object *json = NULL;
    struct json_object *list;
    if (is_redirection(reply->status))
        return xasprintf("it redirects to %.160s, which is not followed",
                         location ? location : "nowhere");
    if (json_parse_within(reply->body, reply->length, &http_reply_bounds, &json,
                          NULL) != 0 ||
        !json)
        return xstrdup(strchr(reply->body, '<') ? "this is a web page"
                                                : "this is not Placement");
    if (is_keystones(json))
        return xstrdup("this is Keystone's list of versions");
    if (json_get_array(json, "versions", &list, NULL) == 0)
        return xstrdup("this is another service's list of versions");
    return xstrdup("this is not Placement");
}

static const char *where_it_is_named(const struct placement_config *options)
{
    if (options->endpoint_override)
        return "endpoint_override";
    return options->auth_url ? "Keystone's catalog" : "endpoint";
}

char *hint_not_placement(const struct placement_config *options,
                         const struct http_reply *reply, const char *location)
{
    _cleanup_free_ char *what = what_answered(reply, location);
    return xasprintf("%s; %s must name Placement, as http://HOST/placement or "
                     "http://HOST:8778",
                     what, where_it_is_named(options));
}

const char *hint_refused(const struct placement_config *options)
{
    if (options->auth_url)
        return "the token is refused: does this Placement ask the Keystone of "
               "auth_url?";
    if (strcmp(options->auth_type, "none") == 0 ||
        strcmp(options->auth_type, "noauth") == 0)
        return "Placement wants a token, and auth_type is none of those that have one; "
               "expected password, v3applicationcredential or another of Keystone's";
    if (strcmp(options->auth_type, "http_basic") == 0)
        return "are username and password right?";
    return "the token is refused";
}

const char *hint_keystone(const struct placement_config *options,
                          const struct http_reply *reply)
{
    _cleanup_json_ struct json_object *json = NULL;
    struct json_object *error;
    bool keystones = json_parse_within(reply->body, reply->length, &http_reply_bounds,
                                       &json, NULL) == 0 &&
                     json_get_object(json, "error", &error, NULL) == 0;
    if (reply->status >= 500 || reply->status == 429)
        return NULL;
    if (!keystones)
        return HINT_NO_KEYSTONE;
    if (reply->status != 401)
        return NULL;
    if (options->application_credential_secret)
        return "are the application credential and its secret right?";
    return options->password ? "are user, password, project and their domains right?"
                             : "the token is refused";
}
