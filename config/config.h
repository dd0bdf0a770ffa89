/*
 * config: the configuration of vgpu-agent as typed values: the result of reading any
 * number of INI files in oslo.config's dialect (so that an unchanged nova.conf can be
 * used), with defaults filled in. Plain data; strings belong to the struct config.
 * Times are in seconds. The tables explain the options: config/agent_options.c,
 * config/placement_config.c.
 */
#ifndef CONFIG_CONFIG_H
#define CONFIG_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/nova_pci.h"
#include "config/placement_config.h"
#include "config/problems.h"
#include "lib/cleanup.h"
#include "lib/error.h"
#include "lib/log.h"
#include "lib/strlist.h"
#include "lib/uuid.h"

enum agent_mode { MODE_OWNER, MODE_NOVA, MODE_NOVA_PCI };
/* What a drained GPU has reserved in Placement. */
enum drain_reserve { DRAIN_TOTAL, DRAIN_UNUSED };

/* "frame_rate_limiter=0, disable_vnc=1": an extended regular expression. */
#define VGPU_PARAMS_PATTERN \
    "^[A-Za-z0-9_]+=[A-Za-z0-9_.:-]+( *, *[A-Za-z0-9_]+=[A-Za-z0-9_.:-]+)*$"
#define VGPU_PARAMS_MAX 512
#define VGPU_PARAMS_ACCEPTED                                                       \
    "KEY=VALUE, KEY=VALUE; A-Z, a-z, 0-9 and _ in keys, - . : as well in values; " \
    "512 characters at most"

/* What a type of virtual functions is where no driver names types: the section
 * [vf_type_<type>]. */
struct vf_type_config {
    struct config_place place; /* of the section; no file: there is none */
    bool fixed;                /* each function is a unit as it is */
    char *vram_quota;          /* "8G"; NULL: not set */
    uint64_t vram_mib;         /* the same; 0: not set */
    unsigned exec_quantum_ms, preempt_timeout_us; /* 0: no limit */
    char *sched_priority;                         /* "low", "normal"; NULL: any */
};

/* The type of cards that go to guests whole. */
#define PASSTHROUGH_TYPE "passthrough"

/* One enabled type with its section [mdev_<type>]. */
struct mdev_type_config {
    /* As in enabled_mdev_types: an id ("nvidia-35") or a name ("GRID V100DX-1Q"). */
    char *type;
    struct config_place place; /* of the name in enabled_mdev_types */
    /* Normalised "0000:84:00.0", or a parent's name where it is not PCI. Empty: the
     * type is the default for every GPU that no other type names. */
    struct strlist device_addresses;
    char *addresses_option; /* "mdev_nvidia-35.device_addresses", for messages */
    /* Where device_addresses is set; where it is set, but empty. */
    struct config_place addresses_place, empty_place;
    char *mdev_class;       /* "VGPU" */
    bool class_set;         /* mdev_class stands in a file */
    unsigned max_instances; /* 0: no cap */
    unsigned max_unit;      /* the most for one consumer; 0: not set */
    struct config_place max_place, class_place, max_unit_place;
    struct strlist traits; /* additional ones, CUSTOM_... */
    char *device_id;       /* "10de:26b9": the only model; NULL: any */
    char *vgpu_params;     /* for each device, by VGPU_PARAMS_PATTERN; NULL: none */
    bool one_time_use;     /* a unit that was used stays reserved until it is cleaned */
    /* Its cards may have other types that say the same: one of them at a time, or
     * (allow_mixed) beside each other. */
    bool several_types, allow_mixed;
    bool live_migratable; /* with nova-pci: Nova may migrate guests that have it */
    struct vf_type_config vf;
};

/* Which of several GPUs a virtual GPU is taken from: the one where most are free, so
 * that guests have cards to themselves as long as there are any; or the one where the
 * fewest are free, so that whole cards stay free. */
enum group_allocation { ALLOCATE_BREADTH_FIRST, ALLOCATE_DEPTH_FIRST };

/* A section [group_<name>]. */
struct group_config {
    char *name;
    struct strlist device_addresses; /* as in struct mdev_type_config; not empty */
    enum group_allocation allocation;
    struct config_place addresses_place;
};

/* Whether its cards may have other types of which that is also true. */
bool mdev_type_shares(const struct mdev_type_config *type);

struct config {
    struct {
        enum agent_mode mode;
        char *root_provider_name; /* NULL: the host's name as libvirt has it (FQDN) */
        char *compute_id_file;    /* NULL: Nova's own files are looked for */
        bool create_root;
        unsigned sync_interval, release_grace;
        enum drain_reserve drain_reserve;
        char *state_file, *sysfs_root;
        /* The directory that stands for "/" when the files of libvirt, mdevctl and Nova
         * and /proc are read. */
        char *host_root;
        bool libvirt; /* libvirt runs guests on this host */
        /* NULL: libvirt's own defaults below host_root. */
        char *libvirt_config_dir, *libvirt_run_dir;
        /* "libvirt", "none"; NULL: libvirt in owner mode, as long as it is there. */
        char *attach;
        char *libvirt_uri;
        char *sriov_manage; /* the program; NULL: none is run */
        char *before_cut;   /* the same */
        char *listen;       /* NULL: nothing is served; config/listen_address.h */
        enum log_level log_level;
    } agent;
    struct placement_config placement;
    struct nova_pci_config nova_pci;   /* empty but in mode nova-pci */
    struct strlist enabled_mdev_types; /* as written; `types` is the result */
    struct mdev_type_config *types; /* in the order of enabled_mdev_types; last, where
                                          there are such cards, PASSTHROUGH_TYPE */
    size_t type_count;
    struct {
        struct strlist addresses; /* as written; the type has the result */
        bool one_time_use;        /* of the type */
        bool console;             /* also the card that the host's console is on */
    } passthrough;
    struct group_config *groups; /* in the order of the files */
    size_t group_count;
    /* "FILE: [agent], [devices]": each file that was read, with its sections that are
     * used. */
    struct strlist sources;
    bool incomplete;    /* not all of the files could be read */
    bool has_placement; /* a file has [placement], or a header that is meant to be it */
    /* Identifies the options as they are written, without secrets: equal for equal
     * options. */
    char digest[UUID_TEXT_SIZE];
};

/* Reads all files in order (a later one takes precedence), then the files of `dirs`
 * that end in .conf, by name. Always continues to the end and adds every problem to
 * `problems`. 0 and *out when none of them is an error; otherwise -1. [placement] may
 * be incomplete: see config_check_placement(). */
int config_load(const struct strlist *files, const struct strlist *dirs,
                struct config **out, struct config_problems *problems);
/* Like config_load(), but gives what could be read also when there are errors, for a
 * caller that looks for more problems. Never NULL; the caller frees. */
struct config *config_read(const struct strlist *files, const struct strlist *dirs,
                           struct config_problems *problems);
/* Like config_read(), from files that have been read already. */
struct config *config_from_ini(const struct ini *ini, struct config_problems *problems);
/* For a program that sends requests to Placement: adds an error for each option that
 * [placement] auth_type needs and that is missing. */
void config_check_placement(const struct config *config,
                            struct config_problems *problems);
/* "owner", "nova", "nova-pci" */
const char *agent_mode_name(enum agent_mode mode);
/* "breadth-first", "depth-first" */
const char *group_allocation_name(enum group_allocation allocation);
void config_free(struct config *config);
DEFINE_CLEANUP(struct config *, config_free)

#endif
