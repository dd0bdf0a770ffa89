#include "placement/server/http/http.h"

#include <limits.h>
#include <microhttpd.h>
#include <netinet/tcp.h>
#include <stdlib.h>

#include "config/listener.h"
#include "lib/xalloc.h"
#include "placement/server/http/certificate.h"
#include "placement/server/http/exchange.h"
#include "placement/server/http/linger.h"

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

struct http {
    struct MHD_Daemon *daemon;
    struct http_options options;
    char address[LISTENER_NAME_SIZE];
    int epoll_fd;
    int listener;       /* libmicrohttpd's; -1 when it listens no more */
    unsigned connected; /* in this run */
    size_t connections; /* with those that are cut off and not closed yet */
    bool makes_room;    /* connections have ended since it was full */
    struct exchanges exchanges;
    struct lingers lingers;
};

/* ---- connections ---- */

static void on_connection(void *cls, struct MHD_Connection *connection, void **context,
                          enum MHD_ConnectionNotificationCode code)
{
    struct http *http = cls;
    struct peer *peer = *context;
    if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
        if (peer->lingers && !peer->cut_off)
            lingers_add(&http->lingers, peer->fd);
        http->connections--;
        peers_remove(&http->exchanges.peers, peer);
        return;
    }
    int fd = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)
                 ->connect_fd;
    const struct sockaddr *address =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS)
            ->client_addr;
    setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &(int){UNSENT}, sizeof(int));
    *context = peers_add(&http->exchanges.peers, fd, address);
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
        {MHD_OPTION_URI_LOG_CALLBACK, (intptr_t)exchange_on_target, &http->exchanges},
        {MHD_OPTION_NOTIFY_COMPLETED, (intptr_t)exchange_on_completed,
         &http->exchanges},
        {MHD_OPTION_NOTIFY_CONNECTION, (intptr_t)on_connection, http},
        {MHD_OPTION_CONNECTION_MEMORY_LIMIT,
         (intptr_t)(EXCHANGE_MEMORY_FACTOR * options->limits.max_header), NULL},
        {MHD_OPTION_CONNECTION_LIMIT,
         (intptr_t)(options->connections.connections + PEERS_SPARE), NULL},
        {MHD_OPTION_CONNECTION_TIMEOUT, options->idle_timeout, NULL},
        {MHD_OPTION_END, 0, NULL},
    };
    http->daemon = MHD_start_daemon(
        MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | (options->cert ? MHD_USE_TLS : 0), 0,
        NULL, NULL, exchange_on_access, &http->exchanges, MHD_OPTION_ARRAY, items,
        MHD_OPTION_ARRAY, options->cert ? tls : &tls[2], MHD_OPTION_END);
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
    exchanges_begin(&http->exchanges, &http->options, hooks);
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
    const struct peers *peers = &http->exchanges.peers;
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
    exchanges_retry(&http->exchanges);
}

void http_release(struct http *http,
                  void (*again)(void *context, struct request *request,
                                struct reply *reply),
                  void *context)
{
    exchanges_release(&http->exchanges, again, context);
}

void http_sweep(struct http *http)
{
    peers_sweep(&http->exchanges.peers);
    lingers_sweep(&http->lingers);
}

int http_reload_certificate(struct http *http, struct error *err)
{
    return read_certificate(&http->options, err);
}

void http_quiesce(struct http *http)
{
    http->exchanges.ending = true;
    http->listener = -1;
    int listener = MHD_quiesce_daemon(http->daemon);
    if (listener >= 0)
        close(listener);
}

size_t http_open_requests(const struct http *http)
{
    return http->exchanges.open;
}

void http_stop(struct http *http)
{
    if (http->daemon) {
        exchanges_stop(&http->exchanges);
        MHD_run(http->daemon);
        MHD_stop_daemon(http->daemon);
    }
    if (http->options.cert)
        certificate_forget();
    lingers_close(&http->lingers);
    free(http);
}
