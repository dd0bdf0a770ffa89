#include "placement/server/http/http.h"

#include <limits.h>
#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "config/listener.h"
#include "lib/xalloc.h"
#include "placement/server/http/certificate.h"
#include "placement/server/http/connections.h"
#include "placement/server/http/request_id.h"

/* libmicrohttpd keeps more in a connection's memory than the header itself, such as the
 * parameters of the URL one by one. */
#define MEMORY_FACTOR 6

/* WAITING for a reply to be made, HELD until it may go. */
enum state { READING, WAITING, HELD, READY, SENT };

/* One request with its reply, from the first header to the last byte sent. */
struct exchange {
    struct http *http;
    struct MHD_Connection *connection;
    enum state state;
    bool begun;
    struct incoming incoming;
    struct reply reply;
    struct exchange *next; /* among those that wait, or are held */
};

struct http {
    struct MHD_Daemon *daemon;
    struct http_options options;
    struct http_hooks hooks;
    char address[LISTENER_NAME_SIZE];
    int epoll_fd;
    bool quiesced; /* connections end with their next reply */
    bool stopped;  /* nothing new is begun */
    size_t open_requests;
    struct exchange *waiting;
    struct exchange *held, **held_end;
    struct peers peers;
    struct request_ids ids;
};

/* ---- from libmicrohttpd to a request ---- */

static struct peer *peer_of(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info ? info->socket_context : NULL;
}

static enum MHD_Result take_header(void *cls, enum MHD_ValueKind kind, const char *name,
                                   const char *value)
{
    (void)kind;
    incoming_header(cls, name, value);
    return MHD_YES;
}

static void begin(struct exchange *exchange, struct MHD_Connection *connection,
                  const char *method)
{
    struct request *request = &exchange->incoming.request;
    const struct peer *peer = peer_of(connection);
    exchange->begun = true;
    exchange->connection = connection;
    exchange->http->open_requests++;
    request->method = method;
    request->client = peer ? peer->address : "-";
    request->connection = peer ? &peer->fd : NULL;
    request_id_next(&exchange->http->ids, request->id);
    request->now = time(NULL);
    MHD_get_connection_values(connection, MHD_HEADER_KIND, take_header,
                              &exchange->incoming);
    incoming_headers_end(&exchange->incoming);
}

/* ---- from a reply to libmicrohttpd ---- */

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

/* Upstream names the whole address, as the client has written it. */
static void add_location(struct MHD_Response *response, const struct exchange *exchange)
{
    const char *path = exchange->reply.location;
    const char *host = exchange->incoming.request.host;
    const char *scheme = exchange->http->options.cert ? "https" : "http";
    _cleanup_free_ char *whole =
        host && *host ? xasprintf("%s://%s%s", scheme, host, path) : NULL;
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

static struct MHD_Response *make_response(struct exchange *exchange)
{
    struct reply *reply = &exchange->reply;
    const struct request *request = &exchange->incoming.request;
    bool has_body = reply->body.length > 0;
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
    if (exchange->http->quiesced)
        add_header(response, "Connection", "close");
    if (reply->location)
        add_location(response, exchange);
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

static enum MHD_Result send_reply(struct exchange *exchange)
{
    struct http *http = exchange->http;
    struct MHD_Response *response = make_response(exchange);
    enum MHD_Result rc = MHD_queue_response(exchange->connection,
                                            (unsigned)exchange->reply.status, response);
    MHD_destroy_response(response);
    exchange->state = SENT;
    http->hooks.sent(http->hooks.context, &exchange->incoming.request,
                     &exchange->reply);
    return rc;
}

static enum MHD_Result refuse(struct exchange *exchange)
{
    const struct incoming_limits *limits = &exchange->http->options.limits;
    int status = exchange->incoming.refused;
    reply_problem(&exchange->reply, status, NULL, "at most %zu bytes are taken",
                  status == 413 ? limits->max_body : limits->max_header);
    reply_finish_problem(&exchange->reply, &exchange->incoming.request);
    return send_reply(exchange);
}

static void hold(struct exchange *exchange)
{
    struct http *http = exchange->http;
    exchange->state = HELD;
    exchange->next = NULL;
    *http->held_end = exchange;
    http->held_end = &exchange->next;
}

static void wait(struct exchange *exchange)
{
    exchange->state = WAITING;
    exchange->next = exchange->http->waiting;
    exchange->http->waiting = exchange;
}

static void say_stopping(struct exchange *exchange)
{
    reply_problem(&exchange->reply, 503, NULL, "the server is being stopped");
    reply_finish_problem(&exchange->reply, &exchange->incoming.request);
}

static enum MHD_Result answer(struct exchange *exchange)
{
    const struct http_hooks *hooks = &exchange->http->hooks;
    if (exchange->incoming.refused)
        return refuse(exchange);
    if (exchange->http->stopped) {
        say_stopping(exchange);
        return send_reply(exchange);
    }
    if (!hooks->answer(hooks->context, &exchange->incoming.request, &exchange->reply))
        wait(exchange);
    else if (hooks->must_wait(hooks->context))
        hold(exchange);
    else
        return send_reply(exchange);
    MHD_suspend_connection(exchange->connection);
    return MHD_YES;
}

static void let_go(struct exchange *exchange)
{
    exchange->state = READY;
    MHD_resume_connection(exchange->connection);
}

/* ---- what libmicrohttpd calls ---- */

static void *on_target(void *cls, const char *target, struct MHD_Connection *connection)
{
    (void)connection;
    struct exchange *exchange = xcalloc(1, sizeof *exchange);
    exchange->http = cls;
    incoming_begin(&exchange->incoming, &exchange->http->options.limits, target);
    return exchange;
}

static enum MHD_Result on_access(void *cls, struct MHD_Connection *connection,
                                 const char *url, const char *method,
                                 const char *version, const char *upload_data,
                                 size_t *upload_data_size, void **con_cls)
{
    (void)cls, (void)url, (void)version;
    struct exchange *exchange = *con_cls;
    struct incoming *incoming = &exchange->incoming;
    if (!exchange->begun) {
        begin(exchange, connection, method);
        /* Only who waits for it sees a reply to the headers alone; others send their
         * body first, which is read and dropped. */
        return incoming->refused && incoming->request.expect ? refuse(exchange)
                                                             : MHD_YES;
    }
    if (*upload_data_size > 0) {
        incoming_body(incoming, upload_data, *upload_data_size);
        *upload_data_size = 0;
        return MHD_YES;
    }
    if (exchange->state == READY)
        return send_reply(exchange);
    return exchange->state == READING ? answer(exchange) : MHD_YES;
}

static void on_completed(void *cls, struct MHD_Connection *connection, void **con_cls,
                         enum MHD_RequestTerminationCode code)
{
    (void)cls, (void)code;
    struct exchange *exchange = *con_cls;
    struct peer *peer = peer_of(connection);
    if (peer)
        peer_served(peer);
    if (!exchange)
        return;
    if (exchange->begun)
        exchange->http->open_requests--;
    reply_clear(&exchange->reply);
    incoming_clear(&exchange->incoming);
    free(exchange);
    *con_cls = NULL;
}

static void on_connection(void *cls, struct MHD_Connection *connection, void **context,
                          enum MHD_ConnectionNotificationCode code)
{
    struct http *http = cls;
    if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
        peers_remove(*context);
        return;
    }
    int fd = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)
                 ->connect_fd;
    const struct sockaddr *address =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS)
            ->client_addr;
    *context = peers_add(&http->peers, fd, address);
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

static int start_daemon(struct http *http, struct error *err)
{
    const struct http_options *options = &http->options;
    struct MHD_OptionItem tls[] = {
        {MHD_OPTION_HTTPS_CERT_CALLBACK2, 0, certificate_give},
        {MHD_OPTION_END, 0, NULL},
    };
    int listener;
    if (listener_open(&options->address, &listener, http->address, err) != 0)
        return -1;
    http->daemon = MHD_start_daemon(
        MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | (options->cert ? MHD_USE_TLS : 0), 0,
        NULL, NULL, on_access, http,                       /* */
        MHD_OPTION_ARRAY, options->cert ? tls : &tls[1],   /* */
        MHD_OPTION_LISTEN_SOCKET, listener,                /* */
        MHD_OPTION_URI_LOG_CALLBACK, on_target, http,      /* */
        MHD_OPTION_NOTIFY_COMPLETED, on_completed, http,   /* */
        MHD_OPTION_NOTIFY_CONNECTION, on_connection, http, /* */
        MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        MEMORY_FACTOR * options->limits.max_header,            /* */
        MHD_OPTION_CONNECTION_LIMIT, options->max_connections, /* */
        MHD_OPTION_CONNECTION_TIMEOUT, options->idle_timeout, MHD_OPTION_END);
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
    if (read_certificate(options, err) != 0 || start_daemon(http, err) != 0)
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
    if (MHD_get_timeout(http->daemon, &milliseconds) != MHD_YES)
        return -1;
    return milliseconds < INT_MAX ? (int)milliseconds : INT_MAX;
}

void http_run(struct http *http)
{
    MHD_run(http->daemon);
}

void http_retry(struct http *http)
{
    const struct http_hooks *hooks = &http->hooks;
    struct exchange *exchange = http->waiting, *next;
    http->waiting = NULL;
    for (; exchange; exchange = next) {
        next = exchange->next;
        if (!hooks->answer(hooks->context, &exchange->incoming.request,
                           &exchange->reply))
            wait(exchange);
        else if (hooks->must_wait(hooks->context))
            hold(exchange);
        else
            let_go(exchange);
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
        if (again)
            again(context, &exchange->incoming.request, &exchange->reply);
        let_go(exchange);
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
        let_go(exchange);
    }
}

void http_sweep(struct http *http)
{
    peers_cut_off(&http->peers, http->options.request_timeout);
}

int http_reload_certificate(struct http *http, struct error *err)
{
    return read_certificate(&http->options, err);
}

void http_quiesce(struct http *http)
{
    http->quiesced = true;
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
    free(http);
}
