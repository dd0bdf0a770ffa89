/*
 * placementd_options: the configuration of placementd: the options of OpenStack
 * Placement where it has them, and [placementd] for others. To add an option: a member
 * here, one entry in the table in placementd_options.c. Plain data; strings belong to
 * the struct.
 */
#ifndef CONFIG_PLACEMENTD_OPTIONS_H
#define CONFIG_PLACEMENTD_OPTIONS_H

#include "config/options.h"
#include "config/placement_config.h"
#include "lib/log.h"

enum auth_strategy { AUTH_KEYSTONE, AUTH_NOAUTH2 };
/* The release of upstream whose default policy applies. */
enum policy_release {
    POLICY_RELEASE_2023_1,
    POLICY_RELEASE_2024_2,
    POLICY_RELEASE_ZED
};
/* The release whose behaviour applies where no microversion tells releases apart. */
enum behaviour_release { BEHAVIOUR_RELEASE_2025_2, BEHAVIOUR_RELEASE_ZED };
enum candidates_strategy { CANDIDATES_DEPTH_FIRST, CANDIDATES_BREADTH_FIRST };

/* In which order the providers of one tree are offered in allocation candidates. */
enum allocation_order { ORDER_UPSTREAM, ORDER_BREADTH_FIRST, ORDER_DEPTH_FIRST };

struct placementd_config {
    struct {
        char *listen; /* config/listen_address.h */
        /* path of the file; NULL: that of placement_database.connection */
        char *database;
        char *cert, *key;     /* NULL: plain HTTP */
        char *metrics_listen; /* NULL: no metrics */
        char *log_file;       /* NULL: standard error */
        enum log_level log_level;
        bool access_log;
        enum policy_release policy_release;
        enum behaviour_release behaviour_release;
        unsigned max_body_size, max_bodies_size, max_header_size; /* bytes */
        double max_request_time;                   /* seconds of processor time */
        unsigned max_reply_size, max_replies_size; /* bytes */
        unsigned max_connections;
        unsigned max_connections_per_address; /* 0: half of max_connections */
        unsigned connection_timeout;
        enum allocation_order allocation_order;
    } placementd;
    struct {
        enum auth_strategy auth_strategy;
    } api;
    struct {
        char *connection; /* "sqlite:///PATH" */
    } placement_database;
    struct {
        bool randomize_allocation_candidates;
        enum candidates_strategy allocation_candidates_generation_strategy;
        int max_allocation_candidates; /* -1: no limit of its own */
        char *incomplete_consumer_project_id, *incomplete_consumer_user_id;
    } placement;
    struct {
        /* as written; placement/server/policy/paths.h finds the files */
        char *policy_file;
        struct strlist policy_dirs;
        /* where no file sets them, what policy_release has */
        bool enforce_new_defaults, enforce_scope;
    } oslo_policy;
    struct {
        bool optimize_for_wide_provider_trees; /* without effect */
    } workarounds;
    struct {
        struct strlist allowed_origin, allow_headers, allow_methods, expose_headers;
        bool allow_credentials;
        unsigned max_age;
    } cors;
    struct {
        char *www_authenticate_uri;
        int token_cache_time; /* seconds; -1: no cache */
    } keystone_authtoken;
    struct placement_config keystone; /* [keystone_authtoken]: our own credentials */
    struct placement_config transfer; /* [transfer]: those for another Placement */
};

extern const struct option_table placementd_options;

/* Reads the files, then the environment (environment.h), then [keystone_authtoken], warns
 * of unknown options, and makes the checks that involve several options. 0 when no
 * problem is an error, else -1; `config` is all zero before, and the caller clears it in
 * both cases. The command line's options are
 * set afterwards, by options_override(). */
int placementd_config_load(const struct strlist *files, const struct strlist *dirs,
                           struct placementd_config *config,
                           struct config_problems *problems);
/* The path of the database: `database`, or the path in `connection`. The caller
 * frees. */
int placementd_config_database(const struct placementd_config *config, char **out,
                               struct error *err);
void placementd_config_clear(struct placementd_config *config);

#endif
