#include "placement/server/http/http.h"

#include <limits.h>
#include <microhttpd.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "config/listener.h"
#include "lib/xalloc.h"
#include "placement/server/http/certificate.h"
#include "placement/server/http/content_length.h"
#include "placement/server/http/linger.h"
#include "placement/server/http/request_id.h"
#include "placement/server/http/response.h"
#include "placement/server/http/unread.h"

/* libmicrohttpd keeps more in a connection's memory than the header itself, such as the
 * parameters of the URL one by one. It clears all of it for each request, in 6 of the 75
 * microseconds of a small one; half of it would hardly hold a target and headers that are
 * both as long as they may be. */
#define MEMORY_FACTOR 6

/* From so many bytes on, libmicrohttpd's memory of a connection is fresh pages, and not
 * malloc()'s, which may hold anything. */
#define LEAST_ZEROED 65536

/* Bytes that the kernel takes of a connection beyond what its client has room for. With
 * megabytes there, replies to clients that do not read would be done, and their further
 * requests begun. */
#define UNSENT 131072

/* libmicrohttpd accepts so many connections in one run, however many wait. */
#define ACCEPTED_IN_A_RUN 10
/* How many more are accepted then, before the requests of others have their turn. */
#define MORE_ACCEPTED 500

/* Milliseconds. At its limit libmicrohttpd does not wait for its listener, and again only
 * in the run after the one in which connections ended. Not at once: those who were
 * accepted last are answered first. */
#define ROOM_WAIT 5

/* WAITING to be ADMITTED or REFUSED, READING the body, its reply HELD until it may go.
 */
enum state { WAITING, ADMITTED, REFUSED, READING, HELD, READY, SENT };

/* One request with its reply, from the first header to the last byte sent. */
struct exchange {
    struct http *http;
    struct MHD_Connection *connection;
    struct peer *peer;
    enum state state;
    bool begun;
    bool lingers;       /* it was answered before its body had come */
    const char *target; /* in libmicrohttpd's buffer, which it changes */
    struct incoming incoming;
    struct reply reply;
    struct unread unread;
    bool unread_full;      /* there is no memory for the reply */
    struct exchange *next; /* among those that wait, or are held */
};

struct http {
    struct MHD_Daemon *daemon;
    struct http_options options;
    struct http_hooks hooks;
    char address[LISTENER_NAME_SIZE];
    int epoll_fd;
    int listener;       /* libmicrohttpd's; -1 when it listens no more */
    unsigned connected; /* in this run */
    size_t connections; /* with those that are cut off and not closed yet */
    bool makes_room;    /* connections have ended since it was full */
    bool quiesced;      /* connections end with their next reply */
    bool stopped;       /* nothing new is begun */
    size_t open_requests;
    struct exchange *waiting;
    struct exchange *held, **held_end;
    struct peers peers;
    struct bodies bodies;
    struct unread_list unread;
    struct lingers lingers;
    struct request_ids ids;
};

/* ---- from libmicrohttpd to a request ---- */

static struct peer *peer_of(struct MHD_Connection *connection)
{
    return MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT)
        ->socket_context;
}

static enum MHD_Result take_header(void *cls, enum MHD_ValueKind kind, const char *name,
                                   const char *value)
{
    (void)kind;
    incoming_header(cls, name, value);
    return MHD_YES;
}

/* What follows the target in libmicrohttpd's buffer is the version, after one NUL that
 * was the blank; any other NUL was sent. */
static bool has_nul(const struct exchange *exchange, const char *version)
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
    exchange->http->open_requests++;
    request->method = method;
    request->client = exchange->peer->address;
    request->network = exchange->peer->network;
    request->connection = &exchange->peer->fd;
    request_id_next(&exchange->http->ids, request->id);
    request->now = time(NULL);
    MHD_get_connection_values(connection, MHD_HEADER_KIND, take_header,
                              &exchange->incoming);
    if (has_nul(exchange, version))
        incoming_refuse(&exchange->incoming, "there is a NUL in the target");
    incoming_headers_end(&exchange->incoming, version);
}

/* ---- replies ---- */

static enum MHD_Result send_reply(struct exchange *exchange)
{
    struct http *http = exchange->http;
    struct request *request = &exchange->incoming.request;
    struct MHD_Response *response =
        response_make(request, &exchange->reply, http->options.cert,
                      http->quiesced || exchange->incoming.problem ||
                          exchange->incoming.bad_length || exchange->reply.last);
    enum MHD_Result rc = MHD_queue_response(exchange->connection,
                                            (unsigned)exchange->reply.status, response);
    MHD_destroy_response(response);
    exchange->state = SENT;
    http->hooks.sent(http->hooks.context, request, &exchange->reply);
    return rc;
}

static void write_refusal(struct exchange *exchange)
{
    const struct http_options *options = &exchange->http->options;
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
    const struct http_hooks *hooks = &exchange->http->hooks;
    enum http_admission admission =
        hooks->admit(hooks->context, &exchange->incoming.request, &exchange->reply);
    if (admission == HTTP_LATER) {
        exchange->state = WAITING;
        exchange->next = exchange->http->waiting;
        exchange->http->waiting = exchange;
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
    } else if (exchange->http->stopped) {
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
    struct http *http = exchange->http;
    exchange->state = HELD;
    exchange->next = NULL;
    *http->held_end = exchange;
    http->held_end = &exchange->next;
}

/* A reply asks for its memory while it is written. */
static size_t grant(void *context, size_t length)
{
    struct exchange *exchange = context;
    struct http *http = exchange->http;
    size_t granted = unread_grow(&http->unread, &exchange->unread, exchange->peer,
                                 length, &http->peers);
    exchange->unread_full = granted < length;
    return granted;
}

static void count_reply(struct exchange *exchange)
{
    struct http *http = exchange->http;
    struct reply *reply = &exchange->reply;
    if (!exchange->unread_full)
        (void)grant(exchange, reply->body.out.length);
    if (!exchange->unread_full) {
        unread_settle(&http->unread, &exchange->unread, reply->body.out.length);
        return;
    }
    unread_remove(&http->unread, &exchange->unread);
    reply_problem(reply, 503, NULL,
                  "the replies that clients do not read take the %zu bytes that "
                  "[placementd] max_replies_size lets them have",
                  http->options.max_replies);
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
    const struct http_hooks *hooks = &exchange->http->hooks;
    exchange->peer->phase = PEER_ANSWERED;
    incoming_end(&exchange->incoming);
    if (exchange->incoming.refused) {
        write_refusal(exchange);
        return send_reply(exchange);
    }
    if (exchange->http->stopped) {
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

/* The library takes the first Content-Length, and so does not see the other one. */
static void take_bad_length(struct exchange *exchange,
                            struct MHD_Connection *connection)
{
    const char *head = exchange->target + strlen(exchange->target) + 1;
    if (exchange->http->options.limits.max_header < LEAST_ZEROED / MEMORY_FACTOR ||
        !content_length_is_bad(head, content_length_readable(head)))
        return;
    incoming_has_bad_length(&exchange->incoming);
    exchange->lingers = true;
    MHD_set_connection_value(connection, MHD_HEADER_KIND,
                             MHD_HTTP_HEADER_CONTENT_LENGTH, "0");
}

static void *on_target(void *cls, const char *target, struct MHD_Connection *connection)
{
    struct exchange *exchange = xcalloc(1, sizeof *exchange);
    exchange->http = cls;
    incoming_begin(&exchange->incoming, &exchange->http->options.limits,
                   &exchange->http->bodies, target);
    exchange->target = target;
    take_bad_length(exchange, connection);
    return exchange;
}

/* With the headers, again after a suspension then, with each piece of the body, and at
 * its end. */
static enum MHD_Result on_access(void *cls, struct MHD_Connection *connection,
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

static void on_completed(void *cls, struct MHD_Connection *connection, void **con_cls,
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
        exchange->http->open_requests--;
    unread_remove(&exchange->http->unread, &exchange->unread);
    reply_clear(&exchange->reply);
    incoming_clear(&exchange->incoming);
    free(exchange);
    *con_cls = NULL;
}

static void on_connection(void *cls, struct MHD_Connection *connection, void **context,
                          enum MHD_ConnectionNotificationCode code)
{
    struct http *http = cls;
    struct peer *peer = *context;
    if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
        if (peer->lingers && !peer->cut_off)
            lingers_add(&http->lingers, peer->fd);
        http->connections--;
        peers_remove(&http->peers, peer);
        return;
    }
    int fd = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)
                 ->connect_fd;
    const struct sockaddr *address =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS)
            ->client_addr;
    setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &(int){UNSENT}, sizeof(int));
    *context = peers_add(&http->peers, fd, address);
    http->connections++;
    http->connected++;
}

/* ---- starting and running ---- */

static int read_certificate(const struct http_options *options, struct error *err)
{
    if (!options->cert)
        return 0;
    if (MHD_is_feature_supported(MHD_FEATURE_HTTPS_CERT_CALLBACK2) != MHD_YES)
        return error_set(err, ERROR_UNSUPPORTED,
                         "this libmicrohttpd has no TLS, or not of gnutls 3.6.3");
    return certificate_read(options->cert, options->key, err);
}

/* RFC 8996 has done away with TLS 1.0 and 1.1. */
static char tls_priorities[] = "NORMAL:-VERS-TLS1.0:-VERS-TLS1.1";

static int start_daemon(struct http *http, struct error *err)
{
    const struct http_options *options = &http->options;
    struct MHD_OptionItem tls[] = {
        {MHD_OPTION_HTTPS_CERT_CALLBACK2, 0, certificate_give},
        {MHD_OPTION_HTTPS_PRIORITIES, 0, tls_priorities},
        {MHD_OPTION_END, 0, NULL},
    };
    int listener;
    if (listener_open(&options->address, &listener, http->address, err) != 0)
        return -1;
    struct MHD_OptionItem items[] = {
        {MHD_OPTION_LISTEN_SOCKET, listener, NULL},
        {MHD_OPTION_URI_LOG_CALLBACK, (intptr_t)on_target, http},
        {MHD_OPTION_NOTIFY_COMPLETED, (intptr_t)on_completed, http},
        {MHD_OPTION_NOTIFY_CONNECTION, (intptr_t)on_connection, http},
        {MHD_OPTION_CONNECTION_MEMORY_LIMIT,
         (intptr_t)(MEMORY_FACTOR * options->limits.max_header), NULL},
        {MHD_OPTION_CONNECTION_LIMIT,
         (intptr_t)(options->connections.connections + PEERS_SPARE), NULL},
        {MHD_OPTION_CONNECTION_TIMEOUT, options->idle_timeout, NULL},
        {MHD_OPTION_END, 0, NULL},
    };
    http->daemon = MHD_start_daemon(
        MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | (options->cert ? MHD_USE_TLS : 0), 0,
        NULL, NULL, on_access, http, MHD_OPTION_ARRAY, items, MHD_OPTION_ARRAY,
        options->cert ? tls : &tls[2], MHD_OPTION_END);
    http->listener = listener;
    if (http->daemon)
        return 0;
    close(listener);
    return error_set(err, ERROR_INVALID, "libmicrohttpd does not start");
}

int http_start(const struct http_options *options, const struct http_hooks *hooks,
               struct http **out, struct error *err)
{
    _cleanup_(http_stopp) struct http *http = xcalloc(1, sizeof *http);
    http->options = *options;
    http->hooks = *hooks;
    http->held_end = &http->held;
    http->peers.limits = options->connections;
    http->bodies.max = options->max_bodies;
    unread_begin(&http->unread, options->max_replies);
    http->lingers.epoll_fd = -1;
    if (lingers_open(&http->lingers, err) != 0 || read_certificate(options, err) != 0 ||
        start_daemon(http, err) != 0)
        return -1;
    http->epoll_fd =
        MHD_get_daemon_info(http->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
    *out = steal(http);
    return 0;
}

const char *http_address(const struct http *http)
{
    return http->address;
}

int http_fd(const struct http *http)
{
    return http->epoll_fd;
}

int http_timeout(struct http *http)
{
    unsigned MHD_LONG_LONG milliseconds;
    bool has_timeout = MHD_get_timeout(http->daemon, &milliseconds) == MHD_YES;
    if (http->makes_room && (!has_timeout || milliseconds > ROOM_WAIT))
        return ROOM_WAIT;
    if (!has_timeout)
        return -1;
    return milliseconds < INT_MAX ? (int)milliseconds : INT_MAX;
}

static bool is_full(const struct http *http)
{
    return http->connections >= http->options.connections.connections + PEERS_SPARE;
}

/* When thousands of clients come at once, as after an outage, more wait to be accepted
 * than the kernel holds, and those that it drops try again after seconds only. Near
 * the limit, where others are cut off for new ones, those who are there are answered
 * first. */
static void accept_more(struct http *http)
{
    const struct peers *peers = &http->peers;
    if (peers->count + MORE_ACCEPTED > peers->limits.connections)
        return;
    for (int i = 0; i < MORE_ACCEPTED; i++) {
        struct sockaddr_storage address;
        socklen_t size = sizeof address;
        int fd = accept4(http->listener, (struct sockaddr *)&address, &size,
                         SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0 || MHD_add_connection(http->daemon, fd, (struct sockaddr *)&address,
                                         size) != MHD_YES)
            return;
    }
}

void http_run(struct http *http)
{
    bool was_full = is_full(http);
    http->connected = 0;
    MHD_run(http->daemon);
    http->makes_room = was_full && !is_full(http);
    if (http->connected >= ACCEPTED_IN_A_RUN && http->listener >= 0)
        accept_more(http);
}

int http_drain_fd(const struct http *http)
{
    return http->lingers.epoll_fd;
}

void http_drain(struct http *http)
{
    lingers_drain(&http->lingers);
}

void http_retry(struct http *http)
{
    struct exchange *exchange = http->waiting, *next;
    http->waiting = NULL;
    for (; exchange; exchange = next) {
        next = exchange->next;
        ask_admission(exchange);
        if (exchange->state != WAITING)
            MHD_resume_connection(exchange->connection);
    }
}

void http_release(struct http *http,
                  void (*again)(void *context, struct request *request,
                                struct reply *reply),
                  void *context)
{
    struct exchange *exchange = http->held, *next;
    http->held = NULL;
    http->held_end = &http->held;
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
static void give_up_waiting(struct http *http)
{
    struct exchange *exchange = http->waiting, *next;
    http->waiting = NULL;
    for (; exchange; exchange = next) {
        next = exchange->next;
        say_stopping(exchange);
        exchange->state = REFUSED;
        MHD_resume_connection(exchange->connection);
    }
}

void http_sweep(struct http *http)
{
    peers_sweep(&http->peers);
    lingers_sweep(&http->lingers);
}

int http_reload_certificate(struct http *http, struct error *err)
{
    return read_certificate(&http->options, err);
}

void http_quiesce(struct http *http)
{
    http->quiesced = true;
    http->listener = -1;
    int listener = MHD_quiesce_daemon(http->daemon);
    if (listener >= 0)
        close(listener);
}

size_t http_open_requests(const struct http *http)
{
    return http->open_requests;
}

void http_stop(struct http *http)
{
    if (http->daemon) {
        http->stopped = true;
        give_up_waiting(http);
        http_release(http, NULL, NULL);
        MHD_run(http->daemon);
        MHD_stop_daemon(http->daemon);
    }
    if (http->options.cert)
        certificate_forget();
    lingers_close(&http->lingers);
    free(http);
}
