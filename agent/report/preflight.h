/*
 * preflight: whether a host has what virtual GPUs need, as rules over observations: a
 * pure function, so that `vgpu-agent preflight` and `check-config` say the same of the
 * same host. What was not seen is unknown, never well. agent/report/preflight_look.h
 * makes the observations.
 */
#ifndef AGENT_REPORT_PREFLIGHT_H
#define AGENT_REPORT_PREFLIGHT_H

#include <stdbool.h>
#include <stddef.h>

#include "agent/backend/vendor.h"
#include "agent/host/host.h"
#include "config/config.h"

enum sight {
    UNSEEN, /* it could not be looked at */
    ABSENT,
    PRESENT,
};

/* A maker of whom the host has a card and of whom agent/backend/vendor.h knows. */
struct preflight_vendor {
    const struct vendor *vendor;
    enum sight rival; /* the module of that name */
    enum sight daemons[VENDOR_MOST_DAEMONS];
    int partitions; /* -1: not seen */
};

/* What was seen of the host. All zero: nothing was. Text members that are NULL were not
 * seen. `config` and `host` are borrowed. */
struct preflight_seen {
    const struct config *config;
    const struct host *host;
    char *command_line;          /* the kernel's */
    int iommu_units;             /* in class/iommu; -1: not seen */
    size_t grouped_gpus;         /* GPUs on PCI that are in an IOMMU group */
    enum sight vfio, vfio_type1; /* the modules, or the same built in */
    enum sight vfio_pci;         /* the driver, on the PCI bus */
    enum sight vfio_pci_module;  /* among the running kernel's modules */
    char *vfio_node_mode;        /* "0666"; NULL unless vfio_node is PRESENT */
    enum sight vfio_node;        /* dev/vfio/vfio */
    char *lockdown;              /* "none", "integrity", "confidentiality" */
    enum sight mdevctl;
    struct preflight_vendor *vendors;
    size_t vendor_count;
    char *user;            /* whose state folder it is: the service's user */
    size_t files, refused; /* that the agent writes; that `user` may not write */
    char *refused_file;    /* one of these */
    const char *right; /* how `user` gets it (struct backend); NULL: by udev's rule */
    char *unseen_file; /* one whose rights could not be seen */
    /* Whether guests get their devices through libvirt, as the daemon decides it. */
    struct {
        bool looked, wanted;
        char *obstacle; /* NULL: it can be done; or else why it is not */
    } libvirt;
};

enum preflight_state { PREFLIGHT_OK, PREFLIGHT_MISSING, PREFLIGHT_UNKNOWN };

struct preflight_item {
    const char *check; /* "iommu": stays the same for programs */
    enum preflight_state state;
    char *found;  /* what is so */
    char *remedy; /* what to do; NULL: nothing */
    /* check-config says it as well where it is missing. The others are about single
     * cards, and check-config has its own words for those that are configured. */
    bool of_configuration;
};

struct preflight {
    struct preflight_item *items; /* in the order of the rules */
    size_t count;
};

/* The caller ends the result with preflight_clear(). */
struct preflight preflight_judge(const struct preflight_seen *seen);
bool preflight_is_missing(const struct preflight *preflight);
/* "ok", "missing", "unknown" */
const char *preflight_state_name(enum preflight_state state);
void preflight_clear(struct preflight *preflight);
void preflight_seen_clear(struct preflight_seen *seen);

#define _cleanup_preflight_ _cleanup_(preflight_clear)
#define _cleanup_preflight_seen_ _cleanup_(preflight_seen_clear)

#endif
