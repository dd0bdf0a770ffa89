#include "placement/server/dispatch.h"

#include <string.h>

#include "lib/cleanup.h"
#include "lib/xalloc.h"
#include "placement/server/auth/auth.h"
#include "placement/server/message/microversion.h"
#include "placement/server/route.h"

static bool is_read(const struct request *request)
{
    return strcmp(request->method, "GET") == 0;
}

static int check_policy(const struct dispatch *api, const struct route *route,
                        const struct request *request, struct reply *reply)
{
    const struct identity *identity = &request->identity;
    if (route->flags & ROUTE_OF_ASKED_PROJECT)
        return policy_enforce(api->policy, route->rule, identity,
                              query_last(&request->query, "project_id"), NULL, reply);
    return policy_enforce(api->policy, route->rule, identity, identity->project_id,
                          identity->user_id, reply);
}

/* A reply that could not be completed within the budget is replaced by an error. */
static int check_budget(const struct store *store, const struct budget *budget,
                        size_t most, struct reply *reply)
{
    const struct store_options *options = &store->options;
    if (reply->body.out.full || budget->end == BUDGET_MEMORY_USED)
        return reply_problem(reply, 503, NULL,
                             "The reply would have more than the %zu bytes that %s; "
                             "ask for less at once.",
                             most,
                             most < options->max_reply_size
                                 ? "others like it have left in these seconds of "
                                   "[placementd] max_reply_size"
                                 : "[placementd] max_reply_size lets it have");
    switch (budget->end) {
    case BUDGET_TIME_OVER:
        return reply_problem(reply, 503, NULL,
                             "The request took more than the %g seconds of processor "
                             "time that [placementd] max_request_time lets it have; "
                             "ask for less at once.",
                             options->max_request_time);
    case BUDGET_CLIENT_GONE:
        reply->last = true;
        return reply_problem(reply, 503, NULL, "The client has closed the connection.");
    case BUDGET_LEFT:
    case BUDGET_WORK_DONE:
    case BUDGET_MEMORY_USED:
        break;
    }
    return 0;
}

/* Writing some bytes takes as long as a step. */
#define BYTES_A_STEP 4
/* Where there is little left for requests that come to nothing, a reply that is larger
 * than this part of max_reply_size comes to nothing sooner. */
#define SMALLER_REPLY 8

/* Steps of the pool, for what was written in vain. */
static uint64_t wasted(const struct budget *budget, size_t most,
                       const struct reply *reply)
{
    if (reply->body.out.full)
        return reply->body.out.length / BYTES_A_STEP;
    return budget->end == BUDGET_MEMORY_USED ? most / BYTES_A_STEP : 0;
}

static int handle(struct dispatch *api, const struct route *route,
                  struct request *request, struct reply *reply)
{
    struct store *store = api->store;
    struct budget budget;
    uint64_t work = budget_pool_offer(&api->pool, request->now);
    size_t most = is_read(request) ? store->options.max_reply_size : 0;
    if (work < BUDGET_WORK)
        most /= SMALLER_REPLY;
    budget_begin(&budget, work, store->options.max_request_time, most,
                 request->connection);
    request->budget = &budget;
    reply->body.out.max = most;
    int rc = route->handle(store, request, reply);
    request->budget = NULL;
    budget_charge(&budget, wasted(&budget, most, reply), &api->pool);
    /* The budget is not checked after a write, whose changes have been made by then. */
    return is_read(request) && check_budget(store, &budget, most, reply) != 0 ? -1 : rc;
}

/* The route of a request that its identity may make; NULL with an error in the reply.
 * `path_storage` has room for the path. */
static const struct route *find_permitted(const struct dispatch *api,
                                          struct request *request, char *path_storage,
                                          struct reply *reply)
{
    int minor;
    if (microversion_parse(request->api_version, &minor, reply) != 0)
        return NULL;
    request->microversion = minor;
    const struct route *route = route_find(request, path_storage, reply);
    return route && check_policy(api, route, request, reply) == 0 ? route : NULL;
}

static void finish(const struct dispatch *api, struct request *request,
                   struct reply *reply, bool problem)
{
    /* An error that already has a body keeps it. */
    if (problem && reply->body.out.length == 0)
        reply_finish_problem(reply, request);
    else if (reply->status == 0)
        reply->status = 200;
    cors_apply(&api->cors, request, reply);
}

int dispatch_admit(struct dispatch *api, struct request *request, struct reply *reply)
{
    _cleanup_free_ char *path_storage = xcalloc(strlen(request->path) + 1, 1);
    request->microversion = -1;
    identity_clear(&request->identity);
    int rc = api->tokens
                 ? auth_keystone(api->tokens, api->authenticate_uri, request, reply)
                 : auth_noauth2(request, api->any_host, reply);
    /* A GET has no body to be refused early: it is checked in dispatch_answer(). */
    if (rc == 0 && !is_read(request))
        rc = find_permitted(api, request, path_storage, reply) ? 0 : -1;
    if (rc < 0)
        finish(api, request, reply, true);
    return rc;
}

static int answer(struct dispatch *api, struct request *request, struct reply *reply)
{
    struct store *store = api->store;
    _cleanup_free_ char *path_storage = xcalloc(strlen(request->path) + 1, 1);
    struct error err;
    const struct route *route = find_permitted(api, request, path_storage, reply);
    if (!route)
        return -1;
    if (store->lost || !is_read(request))
        if (store_prepare_write(store, &err) != 0)
            return reply_problem(reply, 503, NULL, "%s", err.text);
    store->now = request->now;
    return handle(api, route, request, reply);
}

void dispatch_answer(struct dispatch *api, struct request *request, struct reply *reply)
{
    request->microversion = -1;
    finish(api, request, reply, answer(api, request, reply) != 0);
}

void dispatch_answer_again(struct dispatch *api, struct request *request,
                           struct reply *reply, const struct error *err)
{
    if (is_read(request)) {
        dispatch_answer(api, request, reply);
        return;
    }
    reply_problem(reply, 503, NULL, "%s", err->text);
    reply_finish_problem(reply, request);
    cors_apply(&api->cors, request, reply);
}
