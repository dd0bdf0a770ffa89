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

struct config {
    struct {
        enum agent_mode mode;
        char *root_provider_name; /* NULL: the host's name as libvirt has it (FQDN) */
        char *compute_id_file;    /* NULL: look at Nova's places */
        bool create_root;
        unsigned sync_interval, release_grace;
        char *state_file, *sysfs_root, *listen;
    } agent;
    struct {
        char *auth_type;         /* "none", "admin_token", "noauth", later Keystone's */
        char *endpoint_override; /* NULL: `endpoint` or the catalog */
        char *endpoint;
        char *token; /* a secret: never logged */
    } placement;
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
