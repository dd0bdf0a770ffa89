#include "placement/server/server.h"

#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "lib/notify.h"
#include "lib/xalloc.h"
#include "placement/server/dispatch.h"
#include "placement/server/http/access_log.h"
#include "placement/server/metrics.h"
#include "placement/server/pages.h"
#include "placement/server/setup.h"

/* How long a server that is told to stop waits for requests that have begun. */
#define DRAIN_SECONDS 5
/* How many times more requests are taken in before a commit, */
#define MAX_GATHERED 64
/* and for how long at most: slow reads must not hold up the writes that wait. */
#define GATHER_SECONDS 0.01

struct server {
    const struct server_options *options;
    struct dispatch api;
    struct http *http;
    struct http *metrics_http; /* NULL: no metrics are served */
    struct metrics metrics;
    int signals;
    bool stop, reload;
    int64_t swept;           /* monotonic seconds */
    uint64_t alive_interval; /* microseconds; 0: no watchdog is set */
    double alive_told;       /* monotonic seconds */
};

static void server_free(struct server *server)
{
    if (server->http)
        http_stop(server->http);
    if (server->metrics_http)
        http_stop(server->metrics_http);
    if (server->api.store)
        store_close(server->api.store);
    if (server->api.policy)
        policy_free(server->api.policy);
    if (server->api.tokens)
        tokens_free(server->api.tokens);
    if (server->signals >= 0)
        close(server->signals);
    free(server);
}
DEFINE_CLEANUP(struct server *, server_free)

/* ---- what HTTP asks ---- */

static enum http_admission admit(void *context, struct request *request,
                                 struct reply *reply)
{
    struct server *server = context;
    int rc = dispatch_admit(&server->api, request, reply);
    return rc == AUTH_LATER ? HTTP_LATER : rc == 0 ? HTTP_ADMITTED : HTTP_REFUSED;
}

static void answer(void *context, struct request *request, struct reply *reply)
{
    struct server *server = context;
    dispatch_answer(&server->api, request, reply);
}

static bool must_wait(void *context)
{
    const struct server *server = context;
    return store_is_changed(server->api.store);
}

static void sent(void *context, const struct request *request,
                 const struct reply *reply)
{
    struct server *server = context;
    metrics_count(&server->metrics, request, reply);
    if (server->options->config->placementd.access_log)
        access_log_write(request, reply);
}

static enum http_admission admit_all(void *context, struct request *request,
                                     struct reply *reply)
{
    (void)context, (void)request, (void)reply;
    return HTTP_ADMITTED;
}

static void answer_metrics(void *context, struct request *request, struct reply *reply)
{
    const struct server *server = context;
    pages_answer(&server->metrics, server->api.store, request, reply);
}

static bool never_waits(void *context)
{
    (void)context;
    return false;
}

static void not_logged(void *context, const struct request *request,
                       const struct reply *reply)
{
    (void)context, (void)request, (void)reply;
}

/* ---- the loop ---- */

static double seconds_now(void)
{
    return (double)clock_monotonic_ns() / 1e9;
}

static bool is_readable(int fd)
{
    struct pollfd item = {.fd = fd, .events = POLLIN};
    return poll(&item, 1, 0) > 0;
}

struct failed_commit {
    struct server *server;
    struct error err;
};

static void answer_again(void *context, struct request *request, struct reply *reply)
{
    struct failed_commit *failed = context;
    dispatch_answer_again(&failed->server->api, request, reply, &failed->err);
}

/* Takes in the requests that are ready, makes all changes durable and releases the
 * replies. */
static void commit(struct server *server)
{
    struct failed_commit failed = {.server = server};
    double begun = seconds_now();
    for (int i = 0; i < MAX_GATHERED && is_readable(http_fd(server->http)) &&
                    seconds_now() - begun < GATHER_SECONDS;
         i++)
        http_run(server->http);
    begun = seconds_now();
    int rc = store_commit(server->api.store, &failed.err);
    server->metrics.commit_seconds += seconds_now() - begun;
    if (rc == 0) {
        server->metrics.commits++;
        http_release(server->http, NULL, NULL);
        return;
    }
    server->metrics.failed_commits++;
    log_error("store", "a batch of changes was not written: %s", failed.err.text);
    http_release(server->http, answer_again, &failed);
}

/* At most one commit: more writes arrive while it waits for the disk, and clients that
 * write without pause must not keep the loop from tokens, metrics and signals. */
static void turn(struct server *server)
{
    http_run(server->http);
    if (!must_wait(server))
        return;
    commit(server);
    http_run(server->http);
}

static void take_signals(struct server *server)
{
    struct signalfd_siginfo info;
    while (read(server->signals, &info, sizeof info) == (ssize_t)sizeof info)
        if (info.ssi_signo == SIGHUP)
            server->reload = true;
        else
            server->stop = true;
}

/* Takes Keystone's answers about tokens, and answers the requests that waited for them.
 */
static void take_tokens(struct server *server)
{
    tokens_collect(server->api.tokens, time(NULL));
    http_retry(server->http);
    tokens_served(server->api.tokens);
}

/* How long the loop may wait, in milliseconds, at most a second. */
static int idle_time(const struct server *server)
{
    if (store_is_changed(server->api.store))
        return 0;
    int timeout = http_timeout(server->http);
    return timeout < 0 || timeout > 1000 ? 1000 : timeout;
}

/* Waits until something is ready, and does what belongs to other descriptors than that
 * of the API. */
static void wait_for_work(struct server *server)
{
    const struct tokens *tokens = server->api.tokens;
    const struct http *metrics = server->metrics_http;
    struct pollfd items[] = {{.fd = http_fd(server->http), .events = POLLIN},
                             {.fd = server->signals, .events = POLLIN},
                             {.fd = tokens ? tokens_fd(tokens) : -1, .events = POLLIN},
                             {.fd = metrics ? http_fd(metrics) : -1, .events = POLLIN},
                             {.fd = http_drain_fd(server->http), .events = POLLIN}};
    if (poll(items, 5, idle_time(server)) <= 0)
        return;
    if (items[4].revents)
        http_drain(server->http);
    if (items[3].revents)
        http_run(server->metrics_http);
    if (items[1].revents)
        take_signals(server);
    if (items[2].revents)
        take_tokens(server);
}

static void tend_store(struct server *server)
{
    struct error err;
    if (store_tend(server->api.store, &err) != 0)
        log_error("store", "the write-ahead log was not folded into the tables: %s",
                  err.text);
}

static void tell_alive(struct server *server)
{
    double now = seconds_now();
    if (server->alive_interval == 0 ||
        now - server->alive_told < (double)server->alive_interval / 1e6)
        return;
    server->alive_told = now;
    notify_news("WATCHDOG=1");
}

static void sweep(struct server *server)
{
    int64_t now = (int64_t)seconds_now();
    if (now == server->swept)
        return;
    server->swept = now;
    tell_alive(server);
    tend_store(server);
    http_sweep(server->http);
    if (server->metrics_http) {
        http_sweep(server->metrics_http);
        http_drain(server->metrics_http);
        http_run(server->metrics_http);
    }
}

static void reload_policy(struct server *server)
{
    struct policy *policy;
    struct error err;
    if (setup_policy(server->options, &policy, &err) != 0) {
        log_error("policy", "not read again: %s", err.text);
        return;
    }
    policy_free(server->api.policy);
    server->api.policy = policy;
    log_info("policy", "read again");
}

static void reload_certificate(struct server *server)
{
    struct error err;
    if (!server->options->config->placementd.cert)
        return;
    if (http_reload_certificate(server->http, &err) != 0)
        log_error("certificate", "not read again: %s", err.text);
    else
        log_info("certificate", "read again");
}

/* Reads policy and certificate again and reopens the log. Where the new one is wrong
 * the old one stays. */
static void reload(struct server *server)
{
    struct error err;
    server->reload = false;
    if (setup_log(server->options->config, &err) != 0)
        log_error("server", "the log was not opened again: %s", err.text);
    reload_certificate(server);
    reload_policy(server);
}

static void loop(struct server *server)
{
    while (!server->stop) {
        wait_for_work(server);
        turn(server);
        sweep(server);
        if (server->reload)
            reload(server);
    }
    notify_state("STOPPING=1");
    http_quiesce(server->http);
    double end = seconds_now() + DRAIN_SECONDS;
    while (http_open_requests(server->http) > 0 && seconds_now() < end) {
        wait_for_work(server);
        turn(server);
    }
}

/* ---- starting ---- */

/* A file that the configuration names and that is not there, or not for us, is for an
 * editor to mend. */
static int open_files(struct server *server, struct error *err)
{
    if (setup_log(server->options->config, err) == 0 &&
        setup_policy(server->options, &server->api.policy, err) == 0)
        return 0;
    if (err && (err->code == ERROR_NOT_FOUND || err->code == ERROR_FORBIDDEN))
        err->code = ERROR_INVALID;
    return -1;
}

static int open_listeners(struct server *server, struct error *err)
{
    const struct http_hooks api = {.context = server,
                                   .admit = admit,
                                   .answer = answer,
                                   .must_wait = must_wait,
                                   .sent = sent};
    const struct http_hooks metrics = {.context = server,
                                       .admit = admit_all,
                                       .answer = answer_metrics,
                                       .must_wait = never_waits,
                                       .sent = not_logged};
    if (setup_metrics(server->options->config->placementd.metrics_listen, &metrics,
                      &server->metrics_http, err) != 0)
        return -1;
    return setup_api(server->options, &api, &server->http, err);
}

static struct dispatch api_of(const struct server_options *options)
{
    const struct placementd_config *config = options->config;
    const char *uri = config->keystone_authtoken.www_authenticate_uri;
    struct dispatch api = {.any_host = options->anywhere};
    if (config->api.auth_strategy == AUTH_KEYSTONE)
        api.authenticate_uri = uri ? uri : config->keystone.auth_url;
    api.cors = (struct cors){
        .origins = &config->cors.allowed_origin,
        .headers = &config->cors.allow_headers,
        .methods = &config->cors.allow_methods,
        .exposed = &config->cors.expose_headers,
        .credentials = config->cors.allow_credentials,
        .max_age = config->cors.max_age,
    };
    return api;
}

int server_run(const struct server_options *options, struct error *err)
{
    _cleanup_(server_freep) struct server *server = xcalloc(1, sizeof *server);
    const struct placementd_config *config = options->config;
    server->options = options;
    server->signals = -1;
    server->api = api_of(options);
    setup_descriptor_limit(config->placementd.max_connections);
    if (open_files(server, err) != 0 || setup_signals(&server->signals, err) != 0 ||
        setup_tokens(config, &server->api.tokens, err) != 0 ||
        setup_store(config, &server->api.store, err) != 0 ||
        open_listeners(server, err) != 0)
        return -1;
    /* Tests read this line to learn the port. */
    log_info("server", "listening on %s", http_address(server->http));
    server->alive_interval = notify_watchdog_interval();
    notify_state("READY=1");
    loop(server);
    log_info("server", "ended");
    return 0;
}
