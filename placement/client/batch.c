#include "placement/client/batch.h"

#include <string.h>

#include "lib/xalloc.h"
#include "placement/client/http_many.h"
#include "placement/client/session.h"

/* So often in a row a server may ask to be asked later when a call is sent alone: at most
 * ten minutes. */
#define MOST_PAUSES 10

struct run {
    struct placement_client *client;
    const struct placement_batch *batch;
    struct http_many *many;
    size_t connections;
    bool exhausted; /* there are no more calls */
    int rc;
    struct error *err; /* of the call that ended it */
    /* Those to be sent once more, and how long not to. */
    struct placement_call **aside;
    size_t aside_count;
    unsigned pause;  /* seconds */
    unsigned pauses; /* in a row, since a call that was sent alone was answered */
};

void placement_call_clear(struct placement_call *call)
{
    free(call->path);
    free(call->body);
}

static void call_free(struct placement_call *call)
{
    placement_call_clear(call);
    free(call);
}
DEFINE_CLEANUP(struct placement_call *, call_free)

/* Borrowed from the call. */
static struct call view(struct placement_call *call)
{
    return (struct call){.method = call->method,
                         .path = call->path,
                         .body = call->body,
                         .length = call->body ? strlen(call->body) : 0,
                         .status = &call->status,
                         .minor = call->minor};
}

static void tell(struct run *run, const struct placement_call *call, int rc,
                 struct json_object *reply, struct error *why)
{
    if (run->batch->done(run->batch->data, call, rc, reply, why) == 0 || run->rc != 0)
        return;
    run->rc = -1;
    if (run->err)
        *run->err = *why;
}

/* Takes the call. */
static void begin(struct run *run, struct placement_call *call)
{
    const struct call sent = view(call);
    struct session_request request;
    struct error why = {0};
    if (session_request_make(run->client, &sent, &request, &why) == 0) {
        http_many_begin(run->many, &request.http, call);
    } else {
        tell(run, call, -1, NULL, &why);
        call_free(call);
    }
    session_request_clear(&request);
}

/* A token is asked for while nothing is under way: nobody reads the replies meanwhile,
 * and the time for them would run out. */
static bool has_room(const struct run *run)
{
    const struct auth *auth = run->client->auth;
    size_t under_way = http_many_under_way(run->many);
    return run->rc == 0 && !run->exhausted && run->aside_count == 0 &&
           under_way < run->connections &&
           (under_way == 0 || !auth->operations->is_due(auth));
}

/* A microversion that was refused is gone; where none can be agreed on, it is over. */
static void ensure_version(struct run *run)
{
    if (!run->client->minor && session_agree_on_version(run->client, run->err) != 0)
        run->rc = -1;
}

static void fill(struct run *run)
{
    while (has_room(run)) {
        struct placement_call call = {0};
        ensure_version(run);
        if (run->rc != 0)
            return;
        if (run->batch->next(run->batch->data, &call)) {
            struct placement_call *kept = xcalloc(1, sizeof *kept);
            *kept = call;
            begin(run, kept);
        } else {
            run->exhausted = true;
        }
    }
}

/* Whether the call is to be sent once more: a call alone does all that may help. */
static bool may_succeed_alone(const struct run *run, int rc,
                              const struct http_reply *reply, const struct error *why)
{
    const struct placement_config *options = run->client->options;
    if (rc != 0)
        return options->connect_retries &&
               (why->code == ERROR_UNREACHABLE || why->code == ERROR_TIMEOUT);
    if (reply->retry_after)
        return reply->retry_after <= HTTP_LONGEST_PAUSE;
    return reply->status == 401 || reply->status == 406 ||
           (reply->status == 503 && options->status_code_retries);
}

/* Waits for one of those under way. */
static void end(struct run *run)
{
    _cleanup_reply_ struct http_reply reply = {0};
    _cleanup_json_ struct json_object *json = NULL;
    struct error why = {0};
    void *tag;
    int rc = http_many_end(run->many, &tag, &reply, &why);
    _cleanup_(call_freep) struct placement_call *call = tag;
    if (run->rc == 0 && may_succeed_alone(run, rc, &reply, &why)) {
        *array_add(run->aside, run->aside_count) = steal(call);
        if (reply.retry_after > run->pause)
            run->pause = reply.retry_after;
        return;
    }
    const struct call sent = view(call);
    rc = rc == 0 ? session_take_reply(run->client, &sent, &reply, &json, &why)
                 : session_failed(run->client, &sent, &why);
    tell(run, call, rc, json, &why);
}

/* False: the server asks once more to be asked later. */
static bool send_alone(struct run *run, struct placement_call *call)
{
    _cleanup_json_ struct json_object *json = NULL;
    const struct call sent = view(call);
    struct error why = {0};
    call->status = 0;
    int rc = session_call(run->client, &sent, &json, &why);
    unsigned pause = rc == 0 ? 0 : http_retry_after(run->client->http);
    if (pause && pause <= HTTP_LONGEST_PAUSE && run->pauses < MOST_PAUSES) {
        run->pause = pause;
        run->pauses++;
        return false;
    }
    if (!pause)
        run->pauses = 0;
    tell(run, call, rc, json, &why);
    return true;
}

static void drop_first(struct run *run, size_t count)
{
    for (size_t i = 0; i < count; i++)
        call_free(run->aside[i]);
    run->aside_count -= count;
    for (size_t i = 0; i < run->aside_count; i++)
        run->aside[i] = run->aside[count + i];
}

/* Sends those once more of which something else than the call was refused, up to one
 * before which there is to be another pause. */
static void repeat(struct run *run)
{
    size_t sent = 0;
    if (run->rc == 0 && !http_wait(run->client->http, run->pause))
        run->rc = error_set(run->err, ERROR_BUSY, "interrupted");
    run->pause = 0;
    while (run->rc == 0 && sent < run->aside_count && send_alone(run, run->aside[sent]))
        sent++;
    drop_first(run, run->rc == 0 ? sent : run->aside_count);
}

int placement_client_run(struct placement_client *client, size_t connections,
                         const struct placement_batch *batch, struct error *err)
{
    if (!client->minor && session_agree_on_version(client, err) != 0)
        return -1;
    struct run run = {.client = client,
                      .batch = batch,
                      .many = http_many_new(client->http, connections),
                      .connections = connections,
                      .err = err};
    do {
        fill(&run);
        if (http_many_under_way(run.many))
            end(&run);
        else
            repeat(&run);
    } while (http_many_under_way(run.many) || run.aside_count ||
             (run.rc == 0 && !run.exhausted));
    http_many_free(run.many);
    free(run.aside);
    return run.rc;
}
