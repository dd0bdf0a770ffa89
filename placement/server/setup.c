#include "placement/server/setup.h"

#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>

#include "config/listen_address.h"
#include "lib/log.h"
#include "placement/server/policy/paths.h"

/* How long the headers of a request may take to arrive. */
#define HEAD_SECONDS 15
/* The same at the address of the metrics, and there for a whole request. */
#define METRICS_SECONDS 10

int setup_log(const struct placementd_config *config, struct error *err)
{
    const char *path = config->placementd.log_file;
    if (!path || log_to_file(path, err) == 0)
        return 0;
    return error_prefix(err, "placementd.log_file");
}

int setup_policy(const struct server_options *options, struct policy **out,
                 struct error *err)
{
    const struct placementd_config *config = options->config;
    _cleanup_free_ char *file = NULL;
    _cleanup_strlist_ struct strlist folders = {0};
    if (policy_paths_file(config, options->places, &file, err) != 0)
        return -1;
    policy_paths_folders(config, options->places, &folders);
    const struct policy_options how = {
        .file = file,
        .folders = &folders,
        .release = config->placementd.policy_release,
        .enforce_new_defaults = config->oslo_policy.enforce_new_defaults,
        .enforce_scope = config->oslo_policy.enforce_scope,
    };
    return policy_new(&how, out, err);
}

int setup_store(const struct placementd_config *config, struct store **out,
                struct error *err)
{
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
    return store_open(path, &options, out, err);
}

int setup_tokens(const struct placementd_config *config, struct tokens **out,
                 struct error *err)
{
    if (config->api.auth_strategy != AUTH_KEYSTONE)
        return 0;
    /* From here on there are secrets in memory: no core dumps, and no access for
     * debuggers. */
    prctl(PR_SET_DUMPABLE, 0);
    struct tokens_options options = {.keystone = &config->keystone,
                                     .cache_time =
                                         config->keystone_authtoken.token_cache_time};
    return tokens_new(&options, out, err) == 0
               ? 0
               : error_prefix(err, "[api] auth_strategy is keystone");
}

int setup_signals(int *out, struct error *err)
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
    *out = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    return *out >= 0 ? 0 : error_set_errno(err, errno, "signalfd");
}

void setup_descriptor_limit(unsigned connections)
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

/* ---- listeners ---- */

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

int setup_api(const struct server_options *options, const struct http_hooks *hooks,
              struct http **out, struct error *err)
{
    const struct placementd_config *config = options->config;
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
    return http_start(&http, hooks, out, err);
}

int setup_metrics(const char *address, const struct http_hooks *hooks,
                  struct http **out, struct error *err)
{
    struct http_options options = {.limits = {4096, 16384},
                                   .max_bodies = 65536,
                                   .max_replies = 4 << 20,
                                   .connections = {.connections = 16,
                                                   .per_address = 16,
                                                   .head = METRICS_SECONDS,
                                                   .request = METRICS_SECONDS},
                                   .idle_timeout = METRICS_SECONDS};
    if (!address)
        return 0;
    if (listen_address_parse(address, &options.address, err) != 0 ||
        http_start(&options, hooks, out, err) != 0)
        return error_prefix(err, "metrics_listen");
    log_info("server", "metrics on %s", http_address(*out));
    return 0;
}
