/*
 * config: what vgpu-agent was told, typed: the result of reading any number of INI
 * files in oslo.config's dialect (so that an unchanged nova.conf serves), with defaults
 * filled in. Plain data; strings belong to the struct config. Times: seconds. What the
 * options mean is told in their tables: config/agent_options.c,
 * config/placement_config.c.
 */
#ifndef CONFIG_CONFIG_H
#define CONFIG_CONFIG_H

#include <stdbool.h>
#include <stddef.h>

#include "config/placement_config.h"
#include "config/problems.h"
#include "lib/cleanup.h"
#include "lib/error.h"
#include "lib/log.h"
#include "lib/strlist.h"
#include "lib/uuid.h"

enum agent_mode { MODE_OWNER, MODE_NOVA };
/* What a drained GPU has reserved in Placement. */
enum drain_reserve { DRAIN_TOTAL, DRAIN_UNUSED };

/* One enabled type with its section [mdev_<type>]. */
struct mdev_type_config {
    char *type; /* as in enabled_mdev_types: an id ("nvidia-35") or a name ("GRID
                   V100DX-1Q") */
    struct config_place place;       /* of the name in enabled_mdev_types */
    struct strlist device_addresses; /* normalised "0000:84:00.0", or a parent's name
                                        where not PCI; empty: the default for every GPU
                                        that no other type names */
    struct config_place addresses_place, empty_place; /* the latter: they are empty */
    char *mdev_class;                                 /* "VGPU" */
    unsigned max_instances;                           /* 0: no cap */
    struct config_place max_place;
    struct strlist traits; /* extra ones, CUSTOM_... */
};

struct config {
    struct {
        enum agent_mode mode;
        char *root_provider_name; /* NULL: the host's name as libvirt has it (FQDN) */
        char *compute_id_file;    /* NULL: look at Nova's places */
        bool create_root;
        unsigned sync_interval, release_grace;
        enum drain_reserve drain_reserve;
        char *state_file, *sysfs_root;
        char *host_root; /* stands for "/" when libvirt's, mdevctl's, Nova's and /proc's
                            files are looked at */
        bool libvirt;    /* it runs guests here */
        char *libvirt_config_dir, *libvirt_run_dir; /* NULL: below host_root, where
                                                       libvirt has them */
        char *listen; /* NULL: nothing is served; config/listen_address.h */
        enum log_level log_level;
    } agent;
    struct placement_config placement;
    struct strlist enabled_mdev_types; /* as written; `types` is what it came to */
    struct mdev_type_config *types;    /* in the order of enabled_mdev_types */
    size_t type_count;
    struct strlist sources; /* "FILE: [agent], [devices]": each file that was read, with
                               the sections in it that are used */
    bool incomplete;        /* not all of the files could be read */
    char digest[UUID_TEXT_SIZE]; /* the same for the same options as they are written,
                                    secrets left out */
};

/* Reads all files in order (later wins), then those of `dirs` ending in .conf, by name.
 * Always goes on to the end: every problem is in `problems`. 0 and *out when none of
 * them is an error; -1 else. [placement] may be incomplete: see
 * config_check_placement(). */
int config_load(const struct strlist *files, const struct strlist *dirs,
                struct config **out, struct config_problems *problems);
/* The same, with what could be read where there are errors, for those who only look for
 * more problems. Never NULL; the caller frees. */
struct config *config_read(const struct strlist *files, const struct strlist *dirs,
                           struct config_problems *problems);
/* The same from files that are read already. */
struct config *config_from_ini(const struct ini *ini, struct config_problems *problems);
/* For what talks to Placement: is [placement] all that its auth_type needs? */
void config_check_placement(const struct config *config,
                            struct config_problems *problems);
void config_free(struct config *config);
DEFINE_CLEANUP(struct config *, config_free)

#endif
