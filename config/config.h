/*
 * config: what the agent was told, typed: the result of reading any number of INI files
 * in oslo.config's dialect (so that an unchanged nova.conf serves), with defaults
 * filled in. Plain data; strings belong to the struct config. Sizes and times: seconds.
 */
#ifndef CONFIG_CONFIG_H
#define CONFIG_CONFIG_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/cleanup.h"
#include "lib/error.h"
#include "lib/strlist.h"

/* Where a value was written. */
struct config_place {
    char *file; /* NULL: nowhere, it is the default */
    unsigned line;
};

enum agent_mode { MODE_OWNER, MODE_NOVA };

/* [mdev_<type>] of one enabled type. */
struct mdev_type_config {
    char *type; /* as in enabled_mdev_types: an id ("nvidia-35") or a name ("GRID
                   V100DX-1Q") */
    struct config_place place;       /* of the name in enabled_mdev_types */
    struct strlist device_addresses; /* normalised "0000:84:00.0", or a parent's name
                                        where not PCI; empty: the default for every GPU
                                        that no other type names */
    struct config_place addresses_place;
    char *mdev_class;       /* "VGPU" */
    unsigned max_instances; /* 0: no cap */
    struct strlist traits;  /* extra ones, CUSTOM_... */
};

/* [placement]: where it is and who we are, in keystoneauth's words (an option's name is
 * the field's). Strings are NULL and numbers 0 where nothing was said. */
struct placement_config {
    char *auth_type; /* "none", "noauth", "admin_token", "http_basic", "password",
                        "v3password", "v3token", "v3applicationcredential" */
    char *endpoint_override; /* NULL: `endpoint`, or Keystone's catalog */
    char *endpoint;          /* for auth types that have no catalog */
    char *token;             /* a secret: never logged; so are the next two */
    char *password;
    char *application_credential_secret;
    char *auth_url; /* Keystone's: "http://host/identity/v3" */
    char *username, *user_id, *user_domain_id, *user_domain_name;
    char *application_credential_id, *application_credential_name;
    /* The scope: a project, a domain or "all". */
    char *project_id, *project_name, *project_domain_id, *project_domain_name;
    char *domain_id, *domain_name, *system_scope;
    char *default_domain_id, *default_domain_name; /* for user and project */
    char *trust_id;
    /* What to take from the catalog. */
    char *service_type; /* NULL: "placement" */
    char *service_name, *region_name;
    struct strlist valid_interfaces; /* empty: internal, then public */
    /* The connections to both. */
    char *cafile, *certfile, *keyfile;
    bool insecure;
    double timeout; /* of one request; 0: 30 */
    unsigned connect_retries, status_code_retries;
    double connect_retry_delay, status_code_retry_delay; /* 0: 0.5, doubled each time */
};

struct config {
    struct {
        enum agent_mode mode;
        char *root_provider_name; /* NULL: the host's name as libvirt has it (FQDN) */
        char *compute_id_file;    /* NULL: look at Nova's places */
        bool create_root;
        unsigned sync_interval, release_grace;
        char *state_file, *sysfs_root, *listen;
    } agent;
    struct placement_config placement;
    struct mdev_type_config *types; /* in the order of enabled_mdev_types */
    size_t type_count;
};

/* One thing that is wrong in the configuration, or (warning) that looks wrong. */
struct config_problem {
    struct config_place place;
    bool warning;
    char *text; /* "mdev_nvidia-35.device_addresses: ...: what is wrong, what is
                   accepted" */
};

struct config_problems {
    struct config_problem *items;
    size_t count;
};

/* Reads all files in order (later wins), then those of `dirs` ending in .conf, by name.
 * Always goes on to the end: every problem is in `problems`. 0 and *out when none of
 * them is an error; -1 else. */
int config_load(const struct strlist *files, const struct strlist *dirs,
                struct config **out, struct config_problems *problems);
void config_free(struct config *config);
DEFINE_CLEANUP(struct config *, config_free)

/* "file:line: section.option: text" */
char *config_problem_text(const struct config_problem *problem);
bool config_has_errors(const struct config_problems *problems);
void config_problems_clear(struct config_problems *problems);

#endif
