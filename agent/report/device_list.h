/*
 * device_list: every device of the host, the agent's and others': what it is, who has
 * it, and whose it is. A pure function of what was seen on this host, without Placement.
 */
#ifndef AGENT_REPORT_DEVICE_LIST_H
#define AGENT_REPORT_DEVICE_LIST_H

#include "agent/host/device_use.h"
#include "agent/host/host.h"
#include "agent/state/journal.h"
#include "config/config.h"

enum device_owner {
    OWNER_UNKNOWN, /* the state file could not be read, or was lost */
    OWNER_AGENT,   /* the state file has it as made by the agent, for a consumer */
    OWNER_HAND,    /* made by the agent because an operator had ordered it */
    OWNER_NOVA,    /* mode nova: of a type that is nova-compute's to hand out */
    OWNER_MDEVCTL, /* mdevctl defines it */
    OWNER_FOREIGN, /* made by somebody else */
};

enum device_state {
    DEVICE_UNKNOWN,       /* it could not all be seen who uses devices */
    DEVICE_IN_TRANSITION, /* being made or removed */
    DEVICE_IN_USE,        /* a process has it open, or a running domain names it */
    DEVICE_DEFINED,       /* a domain that is shut off names it */
    DEVICE_RELEASING,     /* the agent removes it after its grace period */
    DEVICE_ASSIGNED, /* the state file has a consumer for it, who does not use it */
    DEVICE_IDLE,
};

struct device_row {
    const struct device *device;
    const struct gpu *gpu;          /* NULL: not known any more */
    const struct device_type *type; /* NULL: not known */
    const char *consumer; /* the domain that names it, else the state file's; NULL */
    const char *guest; /* the domain's name; NULL: no domain names it, or none known */
    enum device_owner owner;
    enum device_state state;
    pid_t holder; /* 0: none was seen */
};

/* All are borrowed by the rows. `journal` NULL: it could not be read. */
struct device_sight {
    const struct config *config;
    const struct host *host;
    const struct device_use *use;
    const struct domains *domains;
    const struct journal *journal;
};

/* In the order of the GPUs. The caller frees *out with free(). */
void device_list_make(const struct device_sight *sight, struct device_row **out,
                      size_t *count);
/* "unknown", "agent", "by hand", "nova", "mdevctl", "foreign" */
const char *device_owner_name(enum device_owner owner);
/* "unknown", "in transition", "in use", "defined", "releasing", "assigned", "idle" */
const char *device_state_name(enum device_state state);

#endif
