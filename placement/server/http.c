#include "placement/server/http.h"

#include <errno.h>
#include <limits.h>
#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "lib/xalloc.h"
#include "placement/server/peers.h"
#include "placement/server/request_id.h"

/* libmicrohttpd keeps more in a connection's memory than the header itself, such as the
 * parameters of the URL one by one. */
#define MEMORY_FACTOR 6

enum state { READING, HELD, READY, SENT };

/* One request with its reply, from the first header to the last byte sent. */
struct exchange {
    struct http *http;
    struct MHD_Connection *connection;
    enum state state;
    bool begun;
    int refused; /* with this status; 0: not */
    size_t header_size;
    char *target, *path, *body, *api_version, *query_problem;
    size_t body_room;
    struct request request;
    struct reply reply;
    struct exchange *next; /* held */
};

struct http {
    struct MHD_Daemon *daemon;
    struct http_options options;
    struct http_hooks hooks;
    char address[PEER_ADDRESS_SIZE + 16];
    int epoll_fd;
    size_t open_requests;
    struct exchange *held, **held_end;
    struct peers peers;
    struct request_ids ids;
};

/* ---- from libmicrohttpd to a request ---- */

/* Which header goes where in struct request. */
static const struct {
    const char *name;
    size_t offset;
} headers[] = {
    {"accept", offsetof(struct request, accept)},
    {"content-type", offsetof(struct request, content_type)},
    {"content-length", offsetof(struct request, content_length)},
    {"expect", offsetof(struct request, expect)},
    {"openstack-api-version", offsetof(struct request, api_version)},
    {"x-auth-token", offsetof(struct request, token)},
    {"x-roles", offsetof(struct request, roles)},
    {"x-project-id", offsetof(struct request, project_id)},
    {"openstack-system-scope", offsetof(struct request, system_scope)},
    {"x-domain-id", offsetof(struct request, domain_id)},
    {"origin", offsetof(struct request, origin)},
    {"access-control-request-method", offsetof(struct request, cors_method)},
    {"access-control-request-headers", offsetof(struct request, cors_headers)},
};

static enum MHD_Result take_header(void *cls, enum MHD_ValueKind kind, const char *name,
                                   const char *value)
{
    (void)kind;
    struct exchange *exchange = cls;
    size_t i = 0, count = sizeof headers / sizeof *headers;
    exchange->header_size += strlen(name) + (value ? strlen(value) : 0);
    while (i < count && strcasecmp(headers[i].name, name) != 0)
        i++;
    if (i == count)
        return MHD_YES;
    const char **field =
        (const char **)(void *)((char *)&exchange->request + headers[i].offset);
    /* Of headers that come twice only this one's values add up. */
    if (*field && field == &exchange->request.api_version) {
        char *joined = xasprintf("%s,%s", *field, value);
        free(exchange->api_version);
        exchange->api_version = joined;
        value = joined;
    }
    *field = value ? value : "";
    return MHD_YES;
}

static struct peer *peer_of(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info ? info->socket_context : NULL;
}

static void read_target(struct exchange *exchange)
{
    struct request *request = &exchange->request;
    const char *question = strchrnul(exchange->target, '?');
    exchange->path = xstrndup(exchange->target, (size_t)(question - exchange->target));
    request->raw_target = exchange->target;
    /* What cannot be decoded names nothing. */
    request->path = percent_decode(exchange->path, false) ? exchange->path : "";
    struct error err;
    if (query_parse(*question ? question + 1 : NULL, &request->query, &err) != 0)
        request->query_problem = exchange->query_problem = xstrdup(err.text);
}

static void check_size(struct exchange *exchange)
{
    const struct http_options *options = &exchange->http->options;
    const char *length = exchange->request.content_length;
    if (strlen(exchange->target) > options->max_header)
        exchange->refused = 414;
    else if (exchange->header_size > options->max_header)
        exchange->refused = 431;
    else if (length && strtoull(length, NULL, 10) > options->max_body)
        exchange->refused = 413;
}

static void begin(struct exchange *exchange, struct MHD_Connection *connection,
                  const char *method)
{
    struct request *request = &exchange->request;
    const struct peer *peer = peer_of(connection);
    exchange->begun = true;
    exchange->connection = connection;
    exchange->http->open_requests++;
    request->method = method;
    request->client = peer ? peer->address : "-";
    request->body = "";
    request->microversion = -1;
    request_id_next(&exchange->http->ids, request->id);
    request->now = time(NULL);
    read_target(exchange);
    MHD_get_connection_values(connection, MHD_HEADER_KIND, take_header, exchange);
    check_size(exchange);
}

/* False when it would be more than is allowed. */
static bool add_body(struct exchange *exchange, const char *data, size_t size)
{
    struct request *request = &exchange->request;
    if (size > exchange->http->options.max_body - request->body_length)
        return false;
    size_t wanted = request->body_length + size + 1;
    if (wanted > exchange->body_room) {
        size_t room = exchange->body_room ? exchange->body_room : 512;
        while (room < wanted)
            room *= 2;
        exchange->body = xreallocarray(exchange->body, room, 1);
        exchange->body_room = room;
    }
    memcpy(exchange->body + request->body_length, data, size);
    request->body_length += size;
    exchange->body[request->body_length] = 0;
    request->body = exchange->body;
    return true;
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

static struct MHD_Response *make_response(struct exchange *exchange)
{
    struct reply *reply = &exchange->reply;
    const struct request *request = &exchange->request;
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
        add_header(response, "Vary", "openstack-api-version");
    }
    add_header(response, "X-Openstack-Request-Id", request->id);
    if (reply->location)
        add_header(response, "Location", reply->location);
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
    http->hooks.sent(http->hooks.context, &exchange->request, &exchange->reply);
    return rc;
}

static enum MHD_Result refuse(struct exchange *exchange)
{
    const struct http_options *options = &exchange->http->options;
    reply_problem(&exchange->reply, exchange->refused, NULL,
                  "at most %zu bytes are taken",
                  exchange->refused == 413 ? options->max_body : options->max_header);
    reply_finish_problem(&exchange->reply, &exchange->request);
    return send_reply(exchange);
}

static enum MHD_Result answer(struct exchange *exchange)
{
    struct http *http = exchange->http;
    if (exchange->refused)
        return refuse(exchange);
    http->hooks.answer(http->hooks.context, &exchange->request, &exchange->reply);
    if (!http->hooks.must_wait(http->hooks.context))
        return send_reply(exchange);
    exchange->state = HELD;
    exchange->next = NULL;
    *http->held_end = exchange;
    http->held_end = &exchange->next;
    MHD_suspend_connection(exchange->connection);
    return MHD_YES;
}

/* ---- what libmicrohttpd calls ---- */

static void *on_target(void *cls, const char *target, struct MHD_Connection *connection)
{
    (void)connection;
    struct exchange *exchange = xcalloc(1, sizeof *exchange);
    exchange->http = cls;
    exchange->target = xstrdup(target);
    return exchange;
}

static enum MHD_Result on_access(void *cls, struct MHD_Connection *connection,
                                 const char *url, const char *method,
                                 const char *version, const char *upload_data,
                                 size_t *upload_data_size, void **con_cls)
{
    (void)cls, (void)url, (void)version;
    struct exchange *exchange = *con_cls;
    if (!exchange->begun) {
        begin(exchange, connection, method);
        /* Only who waits for it sees a reply to the headers alone; others send their
         * body first, which is read and dropped. */
        return exchange->refused && exchange->request.expect ? refuse(exchange)
                                                             : MHD_YES;
    }
    if (*upload_data_size > 0) {
        if (!exchange->refused && !add_body(exchange, upload_data, *upload_data_size))
            exchange->refused = 413;
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
    query_clear(&exchange->request.query);
    identity_clear(&exchange->request.identity);
    free(exchange->target);
    free(exchange->path);
    free(exchange->body);
    free(exchange->api_version);
    free(exchange->query_problem);
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

static void note_address(struct http *http, const struct sockaddr *bound)
{
    char host[PEER_ADDRESS_SIZE];
    bool v6 = bound->sa_family == AF_INET6;
    peer_address(bound, host);
    /* The port is at the same place in both families. */
    snprintf(http->address, sizeof http->address, v6 ? "[%s]:%u" : "%s:%u", host,
             ntohs(((const struct sockaddr_in *)(const void *)bound)->sin_port));
}

static int open_listener(struct http *http, int *out, struct error *err)
{
    const struct listen_address *wanted = &http->options.address;
    const struct sockaddr *address = (const struct sockaddr *)&wanted->address;
    struct sockaddr_storage bound = {0};
    socklen_t length = sizeof bound;
    _cleanup_close_ int fd =
        socket(address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    note_address(http, address);
    if (fd < 0 ||
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int)) != 0 ||
        bind(fd, address, wanted->length) != 0 || listen(fd, SOMAXCONN) != 0 ||
        getsockname(fd, (struct sockaddr *)&bound, &length) != 0)
        return error_set_errno(err, errno, "cannot listen on %s", http->address);
    note_address(http, (const struct sockaddr *)&bound);
    *out = fd;
    fd = -1;
    return 0;
}

int http_start(const struct http_options *options, const struct http_hooks *hooks,
               struct http **out, struct error *err)
{
    _cleanup_(http_stopp) struct http *http = xcalloc(1, sizeof *http);
    http->options = *options;
    http->hooks = *hooks;
    http->held_end = &http->held;
    int listener;
    if (open_listener(http, &listener, err) != 0)
        return -1;
    http->daemon = MHD_start_daemon(
        MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, on_access, http,
        MHD_OPTION_LISTEN_SOCKET, listener,                                      /* */
        MHD_OPTION_URI_LOG_CALLBACK, on_target, http,                            /* */
        MHD_OPTION_NOTIFY_COMPLETED, on_completed, http,                         /* */
        MHD_OPTION_NOTIFY_CONNECTION, on_connection, http,                       /* */
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, MEMORY_FACTOR * options->max_header, /* */
        MHD_OPTION_CONNECTION_LIMIT, options->max_connections,                   /* */
        MHD_OPTION_CONNECTION_TIMEOUT, options->idle_timeout, MHD_OPTION_END);
    if (!http->daemon) {
        close(listener);
        return error_set(err, ERROR_IO, "libmicrohttpd does not start");
    }
    http->epoll_fd =
        MHD_get_daemon_info(http->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
    *out = steal(http);
    return 0;
}

void http_stop(struct http *http)
{
    if (http->daemon) {
        http_release(http, NULL, NULL);
        MHD_stop_daemon(http->daemon);
    }
    free(http);
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

void http_release(struct http *http,
                  void (*again)(void *context, struct request *request,
                                struct reply *reply),
                  void *context)
{
    struct exchange *exchange = http->held;
    http->held = NULL;
    http->held_end = &http->held;
    while (exchange) {
        struct exchange *next = exchange->next;
        if (again)
            again(context, &exchange->request, &exchange->reply);
        exchange->state = READY;
        MHD_resume_connection(exchange->connection);
        exchange = next;
    }
}

void http_sweep(struct http *http)
{
    peers_cut_off(&http->peers, http->options.request_timeout);
}

void http_quiesce(struct http *http)
{
    int listener = MHD_quiesce_daemon(http->daemon);
    if (listener >= 0)
        close(listener);
}

size_t http_open_requests(const struct http *http)
{
    return http->open_requests;
}
