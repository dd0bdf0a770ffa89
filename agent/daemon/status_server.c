#include "agent/daemon/status_server.h"

#include <microhttpd.h>
#include <stdint.h>
#include <string.h>

#include "config/listener.h"
#include "lib/clock.h"
#include "lib/connections.h"
#include "lib/page.h"
#include "lib/xalloc.h"

#define MAX_CONNECTIONS 16
#define CONNECTION_MEMORY 8192 /* bytes, for the head of the request */
#define CONNECTION_TIMEOUT 10  /* seconds without data, and for a whole request */
#define SWEEP_INTERVAL 1000    /* milliseconds */

struct status_server {
    struct MHD_Daemon *daemon;
    struct http_pages pages;
    char address[LISTENER_NAME_SIZE];
    struct peers peers;
    int64_t swept; /* the last sweep, in milliseconds of the monotonic clock */
};

/* ---- requests ---- */

static struct peer *peer_of(struct MHD_Connection *connection)
{
    return MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT)
        ->socket_context;
}

static enum MHD_Result reply(struct MHD_Connection *connection, struct http_page *page,
                             bool method_known)
{
    peer_of(connection)->phase = PEER_ANSWERED;
    struct MHD_Response *response = MHD_create_response_from_buffer(
        strlen(page->text), page->text, MHD_RESPMEM_MUST_FREE);
    if (!response)
        abort();
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, page->type);
    MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
    for (const struct page_header *h = page_headers; h->name; h++)
        MHD_add_response_header(response, h->name, h->value);
    MHD_add_response_header(response, PAGE_POLICY,
                            page->policy ? page->policy : PAGE_NO_POLICY);
    if (!method_known)
        MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
    enum MHD_Result rc = MHD_queue_response(connection, page->status, response);
    MHD_destroy_response(response);
    return rc;
}

static enum MHD_Result on_request(void *context, struct MHD_Connection *connection,
                                  const char *path, const char *method,
                                  const char *version, const char *upload,
                                  size_t *upload_size, void **state)
{
    const struct status_server *http = context;
    static int seen;
    (void)version, (void)upload;
    /* libmicrohttpd calls this first for the head of the request, then for its body,
     * which is dropped. */
    if (!*state) {
        *state = &seen;
        return MHD_YES;
    }
    if (*upload_size) {
        *upload_size = 0;
        return MHD_YES;
    }
    struct http_page page = {.type = "text/plain; charset=utf-8"};
    bool known = strcmp(method, MHD_HTTP_METHOD_GET) == 0 ||
                 strcmp(method, MHD_HTTP_METHOD_HEAD) == 0;
    if (known)
        http->pages.make(http->pages.data, path, &page);
    if (!page.text) {
        page.status = known ? MHD_HTTP_NOT_FOUND : MHD_HTTP_METHOD_NOT_ALLOWED;
        page.text = xstrdup(known ? "there is no such page\n" : "only GET and HEAD\n");
    }
    return reply(connection, &page, known);
}

static void on_completed(void *context, struct MHD_Connection *connection, void **state,
                         enum MHD_RequestTerminationCode code)
{
    (void)context, (void)state, (void)code;
    peer_served(peer_of(connection));
}

static void on_connection(void *context, struct MHD_Connection *connection, void **peer,
                          enum MHD_ConnectionNotificationCode code)
{
    struct status_server *http = context;
    if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
        peers_remove(&http->peers, *peer);
        return;
    }
    *peer = peers_add(
        &http->peers,
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)
            ->connect_fd,
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS)
            ->client_addr);
}

/* ---- the server ---- */

int status_server_new(const char *address, const struct http_pages *pages,
                      struct status_server **out, struct error *err)
{
    _cleanup_(status_server_freep) struct status_server *http =
        xcalloc(1, sizeof *http);
    http->pages = *pages;
    http->peers.limits = (struct peers_limits){.connections = MAX_CONNECTIONS,
                                               .per_address = MAX_CONNECTIONS,
                                               .head = CONNECTION_TIMEOUT,
                                               .request = CONNECTION_TIMEOUT};
    struct listen_address wanted;
    int listener;
    if (listen_address_parse(address, &wanted, err) != 0 ||
        listener_open(&wanted, &listener, http->address, err) != 0)
        return -1;
    http->daemon = MHD_start_daemon(
        MHD_USE_EPOLL, 0, NULL, NULL, on_request, http,             /* */
        MHD_OPTION_LISTEN_SOCKET, listener,                         /* */
        MHD_OPTION_NOTIFY_COMPLETED, on_completed, http,            /* */
        MHD_OPTION_NOTIFY_CONNECTION, on_connection, http,          /* */
        MHD_OPTION_CONNECTION_LIMIT, MAX_CONNECTIONS + PEERS_SPARE, /* */
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY,
        MHD_OPTION_CONNECTION_TIMEOUT, CONNECTION_TIMEOUT, MHD_OPTION_END);
    if (!http->daemon) {
        close(listener);
        return error_set(err, ERROR_IO, "cannot listen on %s: no server",
                         http->address);
    }
    *out = steal(http);
    return 0;
}

void status_server_free(struct status_server *http)
{
    if (!http)
        return;
    if (http->daemon)
        MHD_stop_daemon(http->daemon);
    free(http);
}

const char *status_server_address(const struct status_server *http)
{
    return http ? http->address : "";
}

int status_server_fd(const struct status_server *http)
{
    return http ? MHD_get_daemon_info(http->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd
                : -1;
}

int status_server_timeout(const struct status_server *http)
{
    unsigned MHD_LONG_LONG milliseconds;
    int longest = http && http->peers.first ? SWEEP_INTERVAL : -1;
    if (!http || MHD_get_timeout(http->daemon, &milliseconds) != MHD_YES)
        return longest;
    return milliseconds < SWEEP_INTERVAL ? (int)milliseconds : SWEEP_INTERVAL;
}

static void sweep(struct status_server *http)
{
    int64_t now = clock_monotonic_ms();
    if (now - http->swept < SWEEP_INTERVAL)
        return;
    http->swept = now;
    peers_sweep(&http->peers);
}

void status_server_run(struct status_server *http)
{
    if (!http)
        return;
    MHD_run(http->daemon);
    sweep(http);
}
