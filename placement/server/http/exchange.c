#include "placement/server/http/exchange.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/xalloc.h"
#include "placement/server/http/content_length.h"
#include "placement/server/http/head.h"
#include "placement/server/http/response.h"

/* From so many bytes on, libmicrohttpd's memory of a connection is fresh pages, and not
 * malloc()'s, which may hold anything. */
#define LEAST_ZEROED 65536

/* WAITING to be ADMITTED or REFUSED, READING the body, its reply HELD until it may go.
 */
enum state { WAITING, ADMITTED, REFUSED, READING, HELD, READY, SENT };

/* One request with its reply, from the first header to the last byte sent. */
struct exchange {
    struct exchanges *all;
    struct MHD_Connection *connection;
    struct peer *peer;
    enum state state;
    bool begun;
    bool lingers; /* it is answered before its body has come */
    bool has_nul; /* there is one in a header line */
    /* The Content-Length that libmicrohttpd is to take in place of the client's. */
    char length[CONTENT_LENGTH_SIZE];
    const char *target; /* in libmicrohttpd's buffer, which it changes */
    struct incoming incoming;
    struct reply reply;
    struct unread unread;
    bool unread_full;      /* there is no memory for the reply */
    struct exchange *next; /* among those that wait, or are held */
};

/* ---- from libmicrohttpd to a request ---- */

static struct peer *peer_of(struct MHD_Connection *connection)
{
    return MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT)
        ->socket_context;
}

struct headers {
    struct exchange *exchange;
    struct head head;
};

static enum MHD_Result take_header(void *cls, enum MHD_ValueKind kind, const char *name,
                                   const char *value)
{
    struct headers *headers = cls;
    (void)kind;
    if (value == headers->exchange->length)
        return MHD_YES;
    head_take(&headers->head, name, value);
    incoming_header(&headers->exchange->incoming, name, value);
    return MHD_YES;
}

static void take_all_headers(struct exchange *exchange, const char *method,
                             const char *version)
{
    struct headers headers = {.exchange = exchange};
    size_t size = MHD_get_connection_info(exchange->connection,
                                          MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE)
                      ->header_size;
    head_begin(&headers.head, version, method + size);
    MHD_get_connection_values(exchange->connection, MHD_HEADER_KIND, take_header,
                              &headers);
    if (head_is_unclear(&headers.head) || exchange->has_nul)
        incoming_refuse(&exchange->incoming,
                        "a header has a NUL in it or is folded over two lines");
}

/* What follows the target in libmicrohttpd's buffer is the version, after one NUL that
 * was the blank; any other NUL was sent. */
static bool is_cut(const struct exchange *exchange, const char *version)
{
    return version != exchange->target + strlen(exchange->incoming.target) + 1;
}

static void begin(struct exchange *exchange, struct MHD_Connection *connection,
                  const char *method, const char *version)
{
    struct request *request = &exchange->incoming.request;
    exchange->begun = true;
    exchange->connection = connection;
    exchange->peer = peer_of(connection);
    exchange->all->open++;
    request->method = method;
    request->client = exchange->peer->address;
    request->network = exchange->peer->network;
    request->connection = &exchange->peer->fd;
    request_id_next(&exchange->all->ids, request->id);
    request->now = time(NULL);
    if (is_cut(exchange, version))
        incoming_refuse(&exchange->incoming, "there is a NUL in the target");
    take_all_headers(exchange, method, version);
    incoming_headers_end(&exchange->incoming, version);
}

/* ---- replies ---- */

static enum MHD_Result send_reply(struct exchange *exchange)
{
    struct exchanges *all = exchange->all;
    struct request *request = &exchange->incoming.request;
    struct MHD_Response *response =
        response_make(request, &exchange->reply, all->options->cert,
                      all->ending || exchange->lingers || exchange->reply.last);
    enum MHD_Result rc = MHD_queue_response(exchange->connection,
                                            (unsigned)exchange->reply.status, response);
    MHD_destroy_response(response);
    exchange->state = SENT;
    all->hooks.sent(all->hooks.context, request, &exchange->reply);
    return rc;
}

static void write_refusal(struct exchange *exchange)
{
    const struct http_options *options = exchange->all->options;
    struct reply *reply = &exchange->reply;
    int status = exchange->incoming.refused;
    if (status == 400)
        reply_problem(reply, status, NULL, "%s", exchange->incoming.problem);
    else if (status == 503)
        reply_problem(reply, status, NULL,
                      "the bodies of requests take more than the %zu bytes that "
                      "[placementd] max_bodies_size lets them have",
                      options->max_bodies);
    else
        reply_problem(reply, status, NULL, "at most %zu bytes are taken",
                      status == 413 ? options->limits.max_body
                                    : options->limits.max_header);
    reply_finish_problem(reply, &exchange->incoming.request);
}

static void say_stopping(struct exchange *exchange)
{
    reply_problem(&exchange->reply, 503, NULL, "the server is being stopped");
    reply_finish_problem(&exchange->reply, &exchange->incoming.request);
}

/* ---- once the headers have come ---- */

static void ask_admission(struct exchange *exchange)
{
    const struct http_hooks *hooks = &exchange->all->hooks;
    enum http_admission admission =
        hooks->admit(hooks->context, &exchange->incoming.request, &exchange->reply);
    if (admission == HTTP_LATER) {
        exchange->state = WAITING;
        exchange->next = exchange->all->waiting;
        exchange->all->waiting = exchange;
    } else {
        exchange->state = admission == HTTP_ADMITTED ? ADMITTED : REFUSED;
    }
}

/* A body that nobody wants is not waited for: the reply goes at once, and what is still
 * being sent is read and dropped when the connection has ended. */
static enum MHD_Result go_on(struct exchange *exchange)
{
    bool has_body = incoming_has_body(&exchange->incoming);
    if (exchange->state == ADMITTED) {
        exchange->state = READING;
        exchange->peer->phase = has_body ? PEER_SENDING : PEER_ANSWERED;
        return MHD_YES;
    }
    exchange->peer->phase = PEER_ANSWERED;
    exchange->state = READY;
    exchange->lingers |= has_body || exchange->incoming.problem;
    return has_body ? send_reply(exchange) : MHD_YES;
}

static enum MHD_Result take_headers(struct exchange *exchange,
                                    struct MHD_Connection *connection,
                                    const char *method, const char *version)
{
    begin(exchange, connection, method, version);
    exchange->peer->phase = PEER_ANSWERED;
    if (exchange->incoming.refused) {
        write_refusal(exchange);
        exchange->state = REFUSED;
    } else if (exchange->all->stopped) {
        say_stopping(exchange);
        exchange->state = REFUSED;
    } else {
        ask_admission(exchange);
    }
    if (exchange->state != WAITING)
        return go_on(exchange);
    MHD_suspend_connection(connection);
    return MHD_YES;
}

/* ---- once all has come ---- */

static void hold(struct exchange *exchange)
{
    struct exchanges *all = exchange->all;
    exchange->state = HELD;
    exchange->next = NULL;
    *all->held_end = exchange;
    all->held_end = &exchange->next;
}

/* A reply asks for its memory while it is written. */
static size_t grant(void *context, size_t length)
{
    struct exchange *exchange = context;
    struct exchanges *all = exchange->all;
    size_t granted = unread_grow(&all->unread, &exchange->unread, exchange->peer,
                                 length, &all->peers);
    exchange->unread_full = granted < length;
    return granted;
}

static void count_reply(struct exchange *exchange)
{
    struct exchanges *all = exchange->all;
    struct reply *reply = &exchange->reply;
    if (!exchange->unread_full)
        (void)grant(exchange, reply->body.out.length);
    if (!exchange->unread_full) {
        unread_settle(&all->unread, &exchange->unread, reply->body.out.length);
        return;
    }
    unread_remove(&all->unread, &exchange->unread);
    reply_problem(reply, 503, NULL,
                  "the replies that clients do not read take the %zu bytes that "
                  "[placementd] max_replies_size lets them have",
                  all->options->max_replies);
    reply_finish_problem(reply, &exchange->incoming.request);
}

/* Has the reply made by one of the hooks. A large one that there is no memory for is
 * none. What was written is written: only replies to GET are large. */
static void make_reply(struct exchange *exchange,
                       void (*make)(void *context, struct request *request,
                                    struct reply *reply),
                       void *context)
{
    bool is_read = strcmp(exchange->incoming.request.method, "GET") == 0;
    exchange->reply.body.out.grant = is_read ? grant : NULL;
    exchange->reply.body.out.grantor = exchange;
    make(context, &exchange->incoming.request, &exchange->reply);
    if (is_read)
        count_reply(exchange);
}

static enum MHD_Result answer(struct exchange *exchange)
{
    const struct http_hooks *hooks = &exchange->all->hooks;
    exchange->peer->phase = PEER_ANSWERED;
    incoming_end(&exchange->incoming);
    if (exchange->incoming.refused) {
        write_refusal(exchange);
        return send_reply(exchange);
    }
    if (exchange->all->stopped) {
        say_stopping(exchange);
        return send_reply(exchange);
    }
    make_reply(exchange, hooks->answer, hooks->context);
    incoming_drop_body(&exchange->incoming);
    if (!hooks->must_wait(hooks->context))
        return send_reply(exchange);
    hold(exchange);
    MHD_suspend_connection(exchange->connection);
    return MHD_YES;
}

/* ---- what libmicrohttpd calls ---- */

/* The library takes the first Content-Length, and so does not see the client's. */
static void replace_length(struct exchange *exchange, struct MHD_Connection *connection,
                           const char *head, size_t size)
{
    enum content_length is = content_length_look(head, size, exchange->length);
    if (is == CONTENT_LENGTH_CLEAR)
        return;
    if (is == CONTENT_LENGTH_BAD)
        incoming_has_bad_length(&exchange->incoming);
    if (is != CONTENT_LENGTH_PADDED) {
        exchange->lingers = true;
        snprintf(exchange->length, sizeof exchange->length, "0");
    }
    MHD_set_connection_value(connection, MHD_HEADER_KIND,
                             MHD_HTTP_HEADER_CONTENT_LENGTH, exchange->length);
}

/* Looks at the header lines behind the target, before the library has changed them. */
static void look_ahead(struct exchange *exchange, struct MHD_Connection *connection)
{
    const char *head = exchange->target + strlen(exchange->target) + 1;
    size_t size = content_length_readable(head);
    if (exchange->all->options->limits.max_header <
        LEAST_ZEROED / EXCHANGE_MEMORY_FACTOR)
        return;
    exchange->has_nul = head_has_nul(head, size);
    replace_length(exchange, connection, head, size);
}

void *exchange_on_target(void *cls, const char *target,
                         struct MHD_Connection *connection)
{
    struct exchange *exchange = xcalloc(1, sizeof *exchange);
    exchange->all = cls;
    incoming_begin(&exchange->incoming, &exchange->all->options->limits,
                   &exchange->all->bodies, target);
    exchange->target = target;
    look_ahead(exchange, connection);
    return exchange;
}

enum MHD_Result exchange_on_access(void *cls, struct MHD_Connection *connection,
                                   const char *url, const char *method,
                                   const char *version, const char *upload_data,
                                   size_t *upload_data_size, void **con_cls)
{
    (void)cls, (void)url;
    struct exchange *exchange = *con_cls;
    if (!exchange->begun)
        return take_headers(exchange, connection, method, version);
    if (*upload_data_size > 0) {
        incoming_body(&exchange->incoming, upload_data, *upload_data_size);
        *upload_data_size = 0;
        return MHD_YES;
    }
    switch (exchange->state) {
    case ADMITTED:
    case REFUSED:
        return go_on(exchange);
    case READING:
        return answer(exchange);
    case READY:
        return send_reply(exchange);
    case WAITING:
    case HELD:
    case SENT:
        break;
    }
    return MHD_YES;
}

void exchange_on_completed(void *cls, struct MHD_Connection *connection, void **con_cls,
                           enum MHD_RequestTerminationCode code)
{
    (void)cls, (void)code;
    struct exchange *exchange = *con_cls;
    struct peer *peer = peer_of(connection);
    peer_served(peer);
    if (!exchange)
        return;
    peer->lingers = exchange->lingers;
    if (exchange->begun)
        exchange->all->open--;
    unread_remove(&exchange->all->unread, &exchange->unread);
    reply_clear(&exchange->reply);
    incoming_clear(&exchange->incoming);
    free(exchange);
    *con_cls = NULL;
}

/* ---- those that wait, and those that are held ---- */

void exchanges_retry(struct exchanges *all)
{
    struct exchange *exchange = all->waiting, *next;
    all->waiting = NULL;
    for (; exchange; exchange = next) {
        next = exchange->next;
        ask_admission(exchange);
        if (exchange->state != WAITING)
            MHD_resume_connection(exchange->connection);
    }
}

void exchanges_release(struct exchanges *all,
                       void (*again)(void *context, struct request *request,
                                     struct reply *reply),
                       void *context)
{
    struct exchange *exchange = all->held, *next;
    all->held = NULL;
    all->held_end = &all->held;
    for (; exchange; exchange = next) {
        next = exchange->next;
        if (again) {
            reply_clear(&exchange->reply);
            exchange->unread_full = false;
            make_reply(exchange, again, context);
        }
        exchange->state = READY;
        MHD_resume_connection(exchange->connection);
    }
}

/* Nothing may be suspended when libmicrohttpd ends. */
static void give_up_waiting(struct exchanges *all)
{
    struct exchange *exchange = all->waiting, *next;
    all->waiting = NULL;
    for (; exchange; exchange = next) {
        next = exchange->next;
        say_stopping(exchange);
        exchange->state = REFUSED;
        MHD_resume_connection(exchange->connection);
    }
}

void exchanges_begin(struct exchanges *all, const struct http_options *options,
                     const struct http_hooks *hooks)
{
    all->options = options;
    all->hooks = *hooks;
    all->held_end = &all->held;
    all->peers.limits = options->connections;
    all->bodies.max = options->max_bodies;
    unread_begin(&all->unread, options->max_replies);
}

void exchanges_stop(struct exchanges *all)
{
    all->stopped = true;
    give_up_waiting(all);
    exchanges_release(all, NULL, NULL);
}
