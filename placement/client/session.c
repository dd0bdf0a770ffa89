#include "placement/client/session.h"

#include <curl/curl.h>
#include <string.h>

#include "lib/xalloc.h"
#include "placement/client/error_reply.h"
#include "placement/client/hint.h"
#include "placement/microversion.h"

/* The agent needs nested providers. Microversions after the last one that it knows may
 * change what replies mean. */
#define LEAST_MINOR MICROVERSION_NESTED_PROVIDERS
#define LATEST_MINOR MICROVERSION_MAX

/* How much of a path or URL an error repeats: a long one, with many traits in it, would
 * leave no room for the reason. */
#define SHOWN 160

static const char *section_of(const struct placement_config *options)
{
    return options->section ? options->section : "placement";
}

int placement_client_new(const struct placement_config *options,
                         struct placement_client **out, struct error *err)
{
    const char *names[] = {"endpoint_override", "endpoint", "auth_url"};
    const char *urls[] = {options->endpoint_override, options->endpoint,
                          options->auth_url};
    for (size_t i = 0; i < sizeof urls / sizeof *urls; i++)
        if (urls[i] && http_check_url(urls[i], err) != 0)
            return error_prefix(err, "%s.%s", section_of(options), names[i]);
    _cleanup_(placement_client_freep) struct placement_client *client =
        xcalloc(1, sizeof *client);
    client->options = options;
    client->http = http_new(options);
    client->bounds = &http_reply_bounds;
    if (auth_new(options, client->http, &client->auth, err) != 0)
        return error_prefix(err, "%s", section_of(options));
    *out = steal(client);
    return 0;
}

void placement_client_free(struct placement_client *client)
{
    if (!client)
        return;
    auth_free(client->auth);
    http_free(client->http);
    free(client->base);
    free(client);
}

unsigned placement_client_minor(const struct placement_client *client)
{
    return client->minor;
}

unsigned long placement_client_requests(const struct placement_client *client)
{
    return http_requests(client->http);
}

unsigned placement_client_retry_after(const struct placement_client *client)
{
    return http_retry_after(client->http);
}

int64_t placement_client_token_expires_at(const struct placement_client *client)
{
    return client->auth->operations->expires_at(client->auth);
}

void placement_client_set_interrupt(struct placement_client *client,
                                    bool (*interrupted)(void *data), void *data)
{
    http_set_interrupt(client->http, interrupted, data);
}

void call_clear(struct call *call)
{
    free(call->path);
    free(call->body);
}

/* The URL is a part of the error's text, since an operator needs it; http_check_url()
 * has made sure that it contains no password. */
int session_failed(const struct placement_client *client, const struct call *call,
                   struct error *err)
{
    _cleanup_free_ char *url = xasprintf("%s%s", client->base, call->path);
    const char *dots = strlen(url) > SHOWN ? "..." : "";
    return error_prefix(err, "%s %.*s%s", call->method, SHOWN, url, dots);
}

static void set_base(struct placement_client *client, const char *base)
{
    size_t length = strlen(base);
    while (length && base[length - 1] == '/')
        length--;
    free(client->base);
    client->base = xstrndup(base, length);
}

int session_request_make(struct placement_client *client, const struct call *call,
                         struct session_request *request, struct error *err)
{
    const char *base = client->options->endpoint_override;
    *request = (struct session_request){.headers = {"Accept: application/json"}};
    if (!base && client->auth->operations->endpoint(client->auth, &base, err) != 0)
        return -1;
    set_base(client, base);
    request->url = xasprintf("%s%s", client->base, call->path);
    unsigned minor =
        call->minor && call->minor < client->minor ? call->minor : client->minor;
    snprintf(request->version, sizeof request->version,
             "OpenStack-API-Version: placement 1.%u", minor);
    size_t count = 1;
    if (minor)
        request->headers[count++] = request->version;
    if (call->body)
        request->headers[count++] = "Content-Type: application/json";
    request->http = (struct http_request){.method = call->method,
                                          .url = request->url,
                                          .headers = request->headers,
                                          .body = call->body,
                                          .length = call->length};
    return client->auth->operations->authorize(client->auth, &request->http, err);
}

void session_request_clear(struct session_request *request)
{
    free(request->url);
}

/* Sends one request. A reply of any status is a success. */
static int send_call(struct placement_client *client, const struct call *call,
                     struct http_reply *reply, struct error *err)
{
    _cleanup_(session_request_clear) struct session_request request;
    if (session_request_make(client, call, &request, err) != 0)
        return -1;
    if (http_perform(client->http, &request.http, reply, err) != 0)
        return session_failed(client, call, err);
    return 0;
}

/* Like send_call(), with one more attempt after a 401 if a new token can be had. */
static int send_as_us(struct placement_client *client, const struct call *call,
                      struct http_reply *reply, struct error *err)
{
    if (send_call(client, call, reply, err) != 0)
        return -1;
    if (reply->status == 401 && client->auth->operations->refused(client->auth))
        return send_call(client, call, reply, err);
    return 0;
}

static void add_hint(struct error *err, const char *hint)
{
    if (!err)
        return;
    const struct error why = *err;
    (void)error_set(err, why.code, "%s; %s", why.text, hint);
}

static int set_refusal(const struct placement_client *client, const struct call *call,
                       const struct http_reply *reply, struct error *err)
{
    error_reply_set(err, call->method, reply, client->auth);
    if (reply->status == 401)
        add_hint(err, hint_refused(client->options));
    return session_failed(client, call, err);
}

int session_bad_reply(const struct placement_client *client, const struct call *call,
                      struct error *err)
{
    if (err) {
        err->code = ERROR_PROTOCOL;
        auth_redact(client->auth, err->text);
    }
    (void)error_prefix(err, "unexpected reply");
    return session_failed(client, call, err);
}

static int parse_reply(const struct placement_client *client, const struct call *call,
                       const struct http_reply *reply, struct json_object **out,
                       struct error *err)
{
    *out = NULL;
    if (reply->length > 0 &&
        json_parse_within(reply->body, reply->length, client->bounds, out, err) != 0)
        return session_bad_reply(client, call, err);
    return 0;
}

static int read_minor(struct json_object *version, const char *name, unsigned *out,
                      struct error *err)
{
    const char *text;
    char end;
    if (json_get_string(version, name, &text, err) != 0)
        return -1;
    if (sscanf(text, "1.%3u%c", out, &end) != 1)
        return error_set(err, ERROR_INVALID, "%s: '%.32s' is not 1.N", name, text);
    return 0;
}

/* {"versions": [{"id": "v1.0", "min_version": "1.0", "max_version": "1.39", ...}]} */
static int read_versions(struct json_object *json, unsigned *least, unsigned *latest,
                         struct error *err)
{
    struct json_object *versions;
    if (json_get_array(json, "versions", &versions, err) != 0)
        return -1;
    struct json_object *first = json_object_array_get_idx(versions, 0);
    if (read_minor(first, "min_version", least, err) != 0 ||
        read_minor(first, "max_version", latest, err) != 0)
        return error_prefix(err, "versions[0]");
    return 0;
}

/* The error for a service that is not Placement: our own text says which one it seems
 * to be. */
static int not_placement(const struct placement_client *client, const struct call *call,
                         const struct http_reply *reply, struct error *err)
{
    _cleanup_free_ char *hint = hint_not_placement(
        client->options, reply, http_header(client->http, "location"));
    add_hint(err, hint);
    if (err)
        err->code = ERROR_PROTOCOL;
    return session_failed(client, call, err);
}

/* Whether the status suggests that this URL is not Placement's. */
static bool is_elsewhere(long status)
{
    return status < 400 || status == 404 || status == 410;
}

static int read_root(const struct placement_client *client, const struct call *call,
                     const struct http_reply *reply, unsigned *least, unsigned *latest,
                     struct error *err)
{
    _cleanup_json_ struct json_object *json = NULL;
    if (reply->status != 200 && !is_elsewhere(reply->status))
        return set_refusal(client, call, reply, err);
    if (reply->status != 200) {
        error_reply_set(err, call->method, reply, client->auth);
        return not_placement(client, call, reply, err);
    }
    if (json_parse_within(reply->body, reply->length, &http_reply_bounds, &json, err) ==
            0 &&
        read_versions(json, least, latest, err) == 0)
        return 0;
    if (err)
        auth_redact(client->auth, err->text);
    (void)error_prefix(err, "unexpected reply");
    return not_placement(client, call, reply, err);
}

int session_agree_on_version(struct placement_client *client, struct error *err)
{
    static char root[] = "/";
    const struct call call = {.method = "GET", .path = root};
    _cleanup_reply_ struct http_reply reply = {0};
    unsigned least = 0, latest = 0;
    if (send_as_us(client, &call, &reply, err) != 0 ||
        read_root(client, &call, &reply, &least, &latest, err) != 0)
        return -1;
    if (latest < LEAST_MINOR || least > LATEST_MINOR)
        return error_set(err, ERROR_UNSUPPORTED,
                         "Placement speaks the microversions 1.%u to 1.%u; this agent "
                         "needs one of 1.%u to 1.%u",
                         least, latest, LEAST_MINOR, LATEST_MINOR);
    client->minor = latest < LATEST_MINOR ? latest : LATEST_MINOR;
    return 0;
}

/* Like send_as_us(), with a microversion. It is negotiated again when the server
 * refuses it: an older server may have replaced it. */
static int send_versioned(struct placement_client *client, const struct call *call,
                          struct http_reply *reply, struct error *err)
{
    for (unsigned try = 0;; try++) {
        if (!client->minor && session_agree_on_version(client, err) != 0)
            return -1;
        if (send_as_us(client, call, reply, err) != 0)
            return -1;
        if (reply->status != 406)
            return 0;
        client->minor = 0;
        if (try > 0)
            return 0;
    }
}

int session_take_reply(const struct placement_client *client, const struct call *call,
                       const struct http_reply *reply, struct json_object **out,
                       struct error *err)
{
    if (call->status)
        *call->status = reply->status;
    if (reply->status < 200 || reply->status > 299)
        return set_refusal(client, call, reply, err);
    return out ? parse_reply(client, call, reply, out, err) : 0;
}

int session_call(struct placement_client *client, const struct call *call,
                 struct json_object **out, struct error *err)
{
    _cleanup_reply_ struct http_reply reply = {0};
    if (send_versioned(client, call, &reply, err) != 0)
        return -1;
    return session_take_reply(client, call, &reply, out, err);
}
