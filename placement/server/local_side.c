#include "placement/server/local_side.h"

#include <string.h>
#include <time.h>

#include "lib/xalloc.h"
#include "placement/microversion.h"
#include "placement/server/dispatch.h"

struct local {
    struct side side; /* first, so that a pointer to it is one to this */
    struct dispatch api;
    struct strlist nothing; /* allowed by CORS */
};

static char user[] = "placementd", roles[] = "admin,service";

static enum error_code code_of(int status)
{
    switch (status) {
    case 400:
        return ERROR_INVALID;
    case 404:
        return ERROR_NOT_FOUND;
    case 409:
        return ERROR_CONFLICT;
    default:
        return ERROR_IO;
    }
}

static int read_reply(const struct side *side, const struct placement_call *call,
                      struct reply *reply, struct json_object **out, struct error *err)
{
    static const struct json_bounds bounds = {
        .objects = SIZE_MAX, .values = SIZE_MAX, .members = SIZE_MAX};
    const struct buffer *body = &reply->body.out;
    if (reply->status > 299)
        return error_set(err, code_of(reply->status), "%s %s%s: %d: %s", call->method,
                         side->name, call->path, reply->status,
                         reply->detail ? reply->detail : "");
    if (!out)
        return 0;
    *out = NULL;
    return body->length == 0
               ? 0
               : json_parse_within(body->text, body->length, &bounds, out, err);
}

/* Has the request answered. What `request` borrows lives in `path` and `raw`. */
static void answer(struct local *local, struct request *request, char *raw,
                   struct reply *reply)
{
    char *question = strchr(raw, '?');
    if (question)
        *question++ = 0;
    _cleanup_free_ char *path = query_decode_path(raw);
    request->path = path ? path : "";
    if (query_parse(question, &request->query, NULL) != 0)
        request->query_problem = "no UTF-8";
    dispatch_answer(&local->api, request, reply);
    query_clear(&request->query);
}

static int call(struct side *side, const struct placement_call *call,
                struct json_object **out, struct error *err)
{
    struct local *local = (struct local *)side;
    unsigned minor = call->minor ? call->minor : MICROVERSION_MAX;
    _cleanup_free_ char *raw = xstrdup(call->path);
    _cleanup_free_ char *version = xasprintf("placement 1.%u", minor);
    struct reply reply = {0};
    struct request request = {
        .method = call->method,
        .raw_target = call->path,
        .body = call->body ? call->body : "",
        .body_length = call->body ? strlen(call->body) : 0,
        .content_length = call->body ? "1" : NULL,
        .content_type = call->body ? "application/json" : NULL,
        .api_version = version,
        .client = "",
        .network = "",
        .now = time(NULL),
        .identity = {.user_id = user, .project_id = user, .roles = roles},
    };
    answer(local, &request, raw, &reply);
    side->minor = MICROVERSION_MAX;
    int rc = local->api.store->failed ? side->settle(side, err)
                                      : read_reply(side, call, &reply, out, err);
    reply_clear(&reply);
    return rc;
}

static int settle(struct side *side, struct error *err)
{
    struct local *local = (struct local *)side;
    return store_commit(local->api.store, err) == 0
               ? 0
               : error_prefix(err, "%s", side->name);
}

static void release(struct side *side)
{
    struct local *local = (struct local *)side;
    if (local->api.policy)
        policy_free(local->api.policy);
    if (local->api.store)
        store_close(local->api.store);
    free(local);
}

int local_side_open(const char *path, const char *name,
                    const struct placementd_config *config, struct side **out,
                    struct error *err)
{
    const struct policy_options policy = {0};
    const struct store_options options = {
        .incomplete_project_id = config->placement.incomplete_consumer_project_id,
        .incomplete_user_id = config->placement.incomplete_consumer_user_id,
        .max_allocation_candidates = -1,
    };
    struct local *local = xcalloc(1, sizeof *local);
    _cleanup_(side_freep) struct side *side = &local->side;
    local->side = (struct side){
        .name = xstrdup(name), .call = call, .settle = settle, .free = release};
    local->api.cors = (struct cors){.origins = &local->nothing,
                                    .headers = &local->nothing,
                                    .methods = &local->nothing,
                                    .exposed = &local->nothing};
    if (policy_new(&policy, &local->api.policy, err) != 0 ||
        store_open(path, &options, &local->api.store, err) != 0)
        return -1;
    *out = steal(side);
    return 0;
}
