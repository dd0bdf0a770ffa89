#include "placement/server/server.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "config/listen_address.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/notify.h"
#include "lib/xalloc.h"
#include "placement/server/auth/auth.h"
#include "placement/server/dispatch.h"
#include "placement/server/http/access_log.h"
#include "placement/server/http/http.h"
#include "placement/server/metrics.h"
#include "placement/server/pages.h"
#include "placement/server/policy/paths.h"

/* How long a server that is told to stop waits for requests that have begun. */
#define DRAIN_SECONDS 5
/* How long the headers of a request may take to arrive. */
#define HEAD_SECONDS 15
/* The same at the address of the metrics, and there for a whole request. */
#define METRICS_SECONDS 10
/* How many times more requests are taken in before a commit, */
#define MAX_GATHERED 64
/* and for how long at most: slow reads must not hold up the writes that wait. */
#define GATHER_SECONDS 0.01

struct server {
    const struct placementd_config *config;
    const struct strlist *places; /* folders of the configuration's files */
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
    if (server->config->placementd.access_log)
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

static int load_policy(const struct server *server, struct policy **out,
                       struct error *err)
{
    const struct placementd_config *config = server->config;
    _cleanup_free_ char *file = NULL;
    _cleanup_strlist_ struct strlist folders = {0};
    if (policy_paths_file(config, server->places, &file, err) != 0)
        return -1;
    policy_paths_folders(config, server->places, &folders);
    const struct policy_options options = {
        .file = file,
        .folders = &folders,
        .release = config->placementd.policy_release,
        .enforce_new_defaults = config->oslo_policy.enforce_new_defaults,
        .enforce_scope = config->oslo_policy.enforce_scope,
    };
    return policy_new(&options, out, err);
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

static int open_log(const struct server *server, struct error *err)
{
    const char *path = server->config->placementd.log_file;
    if (!path || log_to_file(path, err) == 0)
        return 0;
    return error_prefix(err, "placementd.log_file");
}

static void reload_policy(struct server *server)
{
    struct policy *policy;
    struct error err;
    if (load_policy(server, &policy, &err) != 0) {
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
    if (!server->config->placementd.cert)
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
    if (open_log(server, &err) != 0)
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

static int open_signals(struct server *server, struct error *err)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    signal(SIGPIPE, SIG_IGN);
    /* Writing beyond a limit on the size of files fails with EFBIG then, and the client
     * gets an error. */
    signal(SIGXFSZ, SIG_IGN);
    if (sigprocmask(SIG_BLOCK, &set, NULL) != 0)
        return error_set_errno(err, errno, "sigprocmask");
    server->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    return server->signals >= 0 ? 0 : error_set_errno(err, errno, "signalfd");
}

/* Descriptors are needed for each connection, for lingering ones, and for the server
 * itself. */
static void raise_descriptor_limit(unsigned connections)
{
    const rlim_t wanted = connections + 256;
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= wanted)
        return;
    limit.rlim_cur = limit.rlim_max < wanted ? limit.rlim_max : wanted;
    if (limit.rlim_cur < wanted || setrlimit(RLIMIT_NOFILE, &limit) != 0)
        log_warning("server",
                    "max_connections is %u, but no more than %ju files may be open",
                    connections, (uintmax_t)limit.rlim_max);
}

static int open_store(struct server *server, struct error *err)
{
    const struct placementd_config *config = server->config;
    _cleanup_free_ char *path = NULL;
    if (placementd_config_database(config, &path, err) != 0)
        return -1;
    struct store_options options = {
        .incomplete_project_id = config->placement.incomplete_consumer_project_id,
        .incomplete_user_id = config->placement.incomplete_consumer_user_id,
        .max_allocation_candidates = config->placement.max_allocation_candidates,
        .randomize_allocation_candidates =
            config->placement.randomize_allocation_candidates,
        .strict_capacity =
            config->placementd.behaviour_release == BEHAVIOUR_RELEASE_ZED,
        .breadth_first = config->placement.allocation_candidates_generation_strategy ==
                         CANDIDATES_BREADTH_FIRST,
        .allocation_order = config->placementd.allocation_order,
        .max_request_time = config->placementd.max_request_time,
        .max_reply_size = config->placementd.max_reply_size,
    };
    return store_open(path, &options, &server->api.store, err);
}

static unsigned larger(unsigned a, unsigned b)
{
    return a > b ? a : b;
}

static struct peers_limits connection_limits(const struct placementd_config *config)
{
    unsigned timeout = config->placementd.connection_timeout;
    unsigned most = config->placementd.max_connections;
    unsigned per_address = config->placementd.max_connections_per_address;
    return (struct peers_limits){
        .connections = most,
        .per_address = per_address ? per_address : (most + 1) / 2,
        .head = timeout < HEAD_SECONDS ? timeout : HEAD_SECONDS,
        .request = 2 * timeout,
    };
}

static int listen_on(struct server *server, const struct server_options *options,
                     struct error *err)
{
    const struct placementd_config *config = server->config;
    struct http_options http = {
        .limits = {config->placementd.max_body_size,
                   config->placementd.max_header_size},
        .max_bodies = larger(config->placementd.max_bodies_size,
                             config->placementd.max_body_size),
        .max_replies = larger(config->placementd.max_replies_size,
                              config->placementd.max_reply_size),
        .connections = connection_limits(config),
        .cert = config->placementd.cert,
        .key = config->placementd.key,
        .idle_timeout = config->placementd.connection_timeout,
    };
    if (listen_address_parse(config->placementd.listen, &http.address, err) != 0)
        return -1;
    if (!http.cert != !http.key)
        return error_set(err, ERROR_INVALID, "--cert and --key go together");
    if (config->api.auth_strategy == AUTH_NOAUTH2 && !options->anywhere &&
        !listen_address_is_loopback(&http.address))
        return error_set(err, ERROR_INVALID,
                         "noauth2 believes everybody, so it listens only on loopback, "
                         "not on %s; --insecure-noauth-anywhere lets it",
                         config->placementd.listen);
    struct http_hooks hooks = {.context = server,
                               .admit = admit,
                               .answer = answer,
                               .must_wait = must_wait,
                               .sent = sent};
    return http_start(&http, &hooks, &server->http, err);
}

static int serve_metrics(struct server *server, struct error *err)
{
    const char *address = server->config->placementd.metrics_listen;
    struct http_options options = {.limits = {4096, 16384},
                                   .max_bodies = 65536,
                                   .max_replies = 4 << 20,
                                   .connections = {.connections = 16,
                                                   .per_address = 16,
                                                   .head = METRICS_SECONDS,
                                                   .request = METRICS_SECONDS},
                                   .idle_timeout = METRICS_SECONDS};
    const struct http_hooks hooks = {.context = server,
                                     .admit = admit_all,
                                     .answer = answer_metrics,
                                     .must_wait = never_waits,
                                     .sent = not_logged};
    if (!address)
        return 0;
    if (listen_address_parse(address, &options.address, err) != 0 ||
        http_start(&options, &hooks, &server->metrics_http, err) != 0)
        return error_prefix(err, "metrics_listen");
    log_info("server", "metrics on %s", http_address(server->metrics_http));
    return 0;
}

static int prepare_auth(struct server *server, struct error *err)
{
    const struct placementd_config *config = server->config;
    if (config->api.auth_strategy != AUTH_KEYSTONE)
        return 0;
    /* From here on there are secrets in memory: no core dumps, and no access for
     * debuggers. */
    prctl(PR_SET_DUMPABLE, 0);
    struct tokens_options options = {.keystone = &config->keystone,
                                     .cache_time =
                                         config->keystone_authtoken.token_cache_time};
    server->api.authenticate_uri = config->keystone_authtoken.www_authenticate_uri
                                       ? config->keystone_authtoken.www_authenticate_uri
                                       : config->keystone.auth_url;
    return tokens_new(&options, &server->api.tokens, err);
}

/* A file that the configuration names and that is not there, or not for us, is for an
 * editor to mend. */
static int open_files(struct server *server, struct error *err)
{
    if (open_log(server, err) == 0 &&
        load_policy(server, &server->api.policy, err) == 0)
        return 0;
    if (err && (err->code == ERROR_NOT_FOUND || err->code == ERROR_FORBIDDEN))
        err->code = ERROR_INVALID;
    return -1;
}

int server_run(const struct server_options *options, struct error *err)
{
    _cleanup_(server_freep) struct server *server = xcalloc(1, sizeof *server);
    server->config = options->config;
    server->places = options->places;
    server->signals = -1;
    server->api.any_host = options->anywhere;
    server->api.cors = (struct cors){
        .origins = &options->config->cors.allowed_origin,
        .headers = &options->config->cors.allow_headers,
        .methods = &options->config->cors.allow_methods,
        .exposed = &options->config->cors.expose_headers,
        .credentials = options->config->cors.allow_credentials,
        .max_age = options->config->cors.max_age,
    };
    raise_descriptor_limit(options->config->placementd.max_connections);
    if (open_files(server, err) != 0 || open_signals(server, err) != 0 ||
        prepare_auth(server, err) != 0 || open_store(server, err) != 0 ||
        serve_metrics(server, err) != 0 || listen_on(server, options, err) != 0)
        return -1;
    /* Tests read this line to learn the port. */
    log_info("server", "listening on %s", http_address(server->http));
    server->alive_interval = notify_watchdog_interval();
    notify_state("READY=1");
    loop(server);
    log_info("server", "ended");
    return 0;
}
