/*
 * placement_config: how to reach a service of the cloud, and our credentials there: the
 * options of keystoneauth that a section such as [placement] or [keystone_authtoken]
 * can have, under keystoneauth's own names. Shared by vgpu-agent and placementd. Plain
 * data.
 */
#ifndef CONFIG_PLACEMENT_CONFIG_H
#define CONFIG_PLACEMENT_CONFIG_H

#include "config/options.h"

/* Strings are NULL where the option is not set. */
struct placement_config {
    char *section;                  /* name of the section, for messages: "placement" */
    char *auth_type;                /* one of keystone_auth_types; NULL: not set */
    struct config_place auth_place; /* where auth_type was set */
    char *auth_section;
    char *auth_url;
    char *username, *user_id, *user_domain_name, *user_domain_id;
    char *password; /* a secret, as the two further ones below; never logged */
    char *project_name, *project_id, *project_domain_name, *project_domain_id;
    /* the domain of user and project where they have none of their own */
    char *default_domain_name, *default_domain_id;
    char *domain_name, *domain_id; /* a domain as the scope */
    char *system_scope, *trust_id;
    char *application_credential_id, *application_credential_name;
    char *application_credential_secret;
    char *token;
    char *endpoint; /* for the auth types that have no catalog */
    /* Options of the session: */
    char *cafile, *certfile, *keyfile;
    bool insecure;
    double timeout; /* seconds */
    /* Options of the adapter: which endpoint, and how many retries. */
    char *endpoint_override; /* NULL: `endpoint` or the catalog */
    char *service_type, *service_name, *region_name;
    struct strlist valid_interfaces; /* "internal", "public", "admin": in this order */
    unsigned connect_retries, status_code_retries;
    double connect_retry_delay, status_code_retry_delay; /* 0: 0.5, doubled each time */
};

/* The options of the auth plugin, which are in `auth_section` where that is set; those
 * of the session (TLS, timeout, and auth_section itself); those of the adapter. Their
 * section in the tables is "placement"; `sections` of options_apply() replaces it. */
extern const struct option_table placement_auth_options, placement_session_options,
    placement_adapter_options;

/* Reads the options of all three tables from `section`. */
void placement_config_apply(struct placement_config *config, const struct ini *ini,
                            const char *section, struct config_problems *problems);
/* Like placement_config_apply(), without the adapter's options, for a client that needs
 * no catalog. */
void placement_config_apply_session(struct placement_config *config,
                                    const struct ini *ini, const char *section,
                                    struct config_problems *problems);
/* Warns of options in the section that are not used, such as misspelt ones. */
void placement_config_warn(const struct placement_config *config, const struct ini *ini,
                           struct config_problems *problems);
void placement_config_clear(struct placement_config *config);

#endif
