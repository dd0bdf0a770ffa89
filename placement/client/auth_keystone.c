#include "placement/client/auth.h"

#include <string.h>

#include "lib/xalloc.h"
#include "placement/client/error_reply.h"
#include "placement/client/hint.h"
#include "placement/client/keystone.h"

/* A token from Keystone. It is requested for the first request that needs it, again
 * some time before it expires, and again after a server has refused it. */
struct keystone {
    struct auth auth;
    char *url; /* the URL that gives tokens */
    /* Placement's URL from the token's catalog; NULL: endpoint_override is set. */
    char *endpoint;
    int64_t renew_at, dead_at; /* on the clock of auth.now() */
    int64_t expires_at;        /* seconds since the epoch */
};

/* While Keystone does not answer, a token that is still valid is used, and Keystone is
 * not asked again for every request. */
#define ASK_AGAIN_AFTER 15 /* seconds */

static void drop_token(struct keystone *keystone)
{
    auth_set_token(&keystone->auth, NULL);
    keystone->expires_at = 0;
}

/* Sets the error for a refusal by Keystone. It is about our credentials, whatever the
 * status: a deleted application credential gives 404, which callers must not take for a
 * provider that does not exist. */
static int set_refusal(const struct keystone *keystone, const struct http_reply *reply,
                       struct error *err)
{
    struct error why = {0};
    error_reply_set(&why, "POST", reply, &keystone->auth);
    if (why.code != ERROR_UNREACHABLE && why.code != ERROR_FORBIDDEN &&
        why.code != ERROR_INVALID)
        why.code = ERROR_UNAUTHORIZED;
    const char *hint = hint_keystone(keystone->auth.options, reply);
    return error_set(err, why.code, "%s%s%s", why.text, hint ? "; " : "",
                     hint ? hint : "");
}

static int take_token(struct keystone *keystone, const struct http_reply *reply,
                      int64_t asked_at, struct error *err)
{
    const struct placement_config *options = keystone->auth.options;
    const char *text = http_header(keystone->auth.http, "x-subject-token");
    _cleanup_json_ struct json_object *json = NULL;
    _cleanup_free_ char *endpoint = NULL;
    struct keystone_token token;
    if (!text || auth_check_token(text, NULL) != 0)
        return error_set(err, ERROR_PROTOCOL,
                         "the reply has no X-Subject-Token; " HINT_NO_KEYSTONE);
    if (json_parse_within(reply->body, reply->length, &http_reply_bounds, &json, err) !=
            0 ||
        keystone_read_token(json, &token, err) != 0) {
        if (err) {
            err->code = ERROR_PROTOCOL;
            auth_redact(&keystone->auth, err->text);
        }
        return -1;
    }
    if (!options->endpoint_override) {
        if (keystone_read_endpoint(json, options, &endpoint, err) != 0)
            return -1;
        if (http_check_url(endpoint, err) != 0)
            return error_prefix(err, "the catalog's endpoint");
    }
    free(keystone->endpoint);
    keystone->endpoint = steal(endpoint);
    auth_set_token(&keystone->auth, text);
    keystone->renew_at = asked_at + keystone_renew_after(&token);
    keystone->dead_at = asked_at + token.lifetime;
    keystone->expires_at = token.expires_at;
    return 0;
}

static int ask_for_token(struct keystone *keystone, struct error *err)
{
    static const char *const headers[] = {"Accept: application/json",
                                          "Content-Type: application/json", NULL};
    _cleanup_(keystone_secret_freep) char *body = NULL;
    _cleanup_reply_ struct http_reply reply = {0};
    size_t length;
    if (keystone_request(keystone->auth.options, &body, &length, err) != 0)
        return -1;
    const struct http_request request = {.method = "POST",
                                         .url = keystone->url,
                                         .headers = headers,
                                         .body = body,
                                         .length = length};
    int64_t asked_at = keystone->auth.now();
    if (http_perform(keystone->auth.http, &request, &reply, err) != 0)
        return -1;
    if (reply.status != 201 && reply.status != 200)
        return set_refusal(keystone, &reply, err);
    return take_token(keystone, &reply, asked_at, err);
}

static bool is_due(const struct auth *auth)
{
    const struct keystone *keystone = (const struct keystone *)auth;
    return !auth->header || auth->now() >= keystone->renew_at;
}

static int ensure_token(struct keystone *keystone, struct error *err)
{
    struct error why = {0};
    if (!is_due(&keystone->auth))
        return 0;
    if (ask_for_token(keystone, &why) == 0)
        return 0;
    /* Its timeout may be longer than that: it counts from the end. */
    int64_t now = keystone->auth.now();
    if (keystone->auth.header && now < keystone->dead_at &&
        (why.code == ERROR_UNREACHABLE || why.code == ERROR_TIMEOUT)) {
        keystone->renew_at = now + ASK_AGAIN_AFTER;
        return 0;
    }
    return error_set(err, why.code, "Keystone: POST %s: %s", keystone->url, why.text);
}

static int authorize(struct auth *auth, struct http_request *request, struct error *err)
{
    struct keystone *keystone = (struct keystone *)auth;
    if (ensure_token(keystone, err) != 0)
        return -1;
    request->authorization = auth->header;
    return 0;
}

static int endpoint(struct auth *auth, const char **url, struct error *err)
{
    struct keystone *keystone = (struct keystone *)auth;
    if (ensure_token(keystone, err) != 0)
        return -1;
    *url = keystone->endpoint;
    return 0;
}

static bool refused(struct auth *auth)
{
    drop_token((struct keystone *)auth);
    return true;
}

static int64_t expires_at(const struct auth *auth)
{
    return ((const struct keystone *)auth)->expires_at;
}

static void release(struct auth *auth)
{
    struct keystone *keystone = (struct keystone *)auth;
    free(keystone->endpoint);
    free(keystone->url);
    free(keystone);
}

static const struct auth_operations operations = {authorize, endpoint,   refused,
                                                  is_due,    expires_at, release};

int auth_keystone_new(const struct placement_config *options, struct auth **out,
                      struct error *err)
{
    _cleanup_(keystone_secret_freep) char *body = NULL;
    size_t length;
    char *url;
    /* Missing options are reported now, and not when the first request is sent. */
    if (keystone_request(options, &body, &length, err) != 0 ||
        keystone_tokens_url(options, &url, err) != 0)
        return -1;
    struct keystone *keystone = xcalloc(1, sizeof *keystone);
    keystone->auth.operations = &operations;
    keystone->url = url;
    *out = &keystone->auth;
    return 0;
}
