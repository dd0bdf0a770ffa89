/*
 * device_use: who holds devices, by their addresses, beyond what sysfs says: libvirt's domains
 * (defined: /etc/libvirt/qemu/\*.xml, running: /run/libvirt/qemu/\*.xml), mdevctl's
 * definitions (/etc/mdevctl.d/<parent>/<uuid>), and processes with an open VFIO group.
 * A device that is in here is never removed. Reads every domain's XML and every
 * process's descriptors: not for idle cycles.
 *
 * A folder of libvirt's that is not there says nothing: libvirt may keep it elsewhere,
 * or it is not mounted where the agent looks. That there is no libvirt on the host
 * cannot be seen, only told ([agent] libvirt = false).
 */
#ifndef AGENT_HOST_DEVICE_USE_H
#define AGENT_HOST_DEVICE_USE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "agent/host/host.h"
#include "config/config.h"
#include "lib/error.h"
#include "lib/strlist.h"

/* Where to look. */
struct use_places {
    const char *root; /* a directory that stands for "/" (tests), or "/" */
    /* Libvirt's folders of definitions and of running domains, absolute or below root.
     * NULL: there is no libvirt on this host. */
    const char *defined, *running;
    bool before_libvirt; /* at boot: it may not have made `running` yet */
};
#define USE_DEFINED "etc/libvirt/qemu"
#define USE_RUNNING "run/libvirt/qemu"
/* As configured; borrows from the configuration. */
struct use_places use_places_of(const struct config *config);

/* One device that somebody holds. It need not exist: a domain or a definition may name
 * one that was lost at a reboot. */
struct used_device {
    char address[DEVICE_ADDRESS_SIZE]; /* struct device's; it may be no GPU's at all */
    char domain[UUID_TEXT_SIZE]; /* the libvirt domain that names it, "" if none; a
                                    running one before one that is defined only */
    bool running;                /* the domain runs */
    bool group_open;             /* a process has /dev/vfio/<group> open: */
    pid_t holder;                /* this one; 0 if none */
    bool defined;                /* mdevctl knows it */
    struct strlist domains;      /* all that name it */
};

struct device_use {
    bool unknown;         /* a place could not be read: treat every device as in use */
    bool domains_unknown; /* one of them was libvirt's definitions */
    struct used_device *devices;
    size_t count;
    struct strlist domains; /* the uuids of all domains, with devices or without */
};

/* What cannot be read makes the result `unknown`, with the reason in *note (the
 * caller's; may stay NULL). Never fails otherwise. mdevctl's folder may be absent; /proc
 * must be there when the host has a device with a node. Of a domain's XML only
 * what domain_xml takes counts. */
struct device_use *device_use_scan(const struct use_places *places,
                                   const struct host *host, char **note);
void device_use_free(struct device_use *use);
DEFINE_CLEANUP(struct device_use *, device_use_free)
/* NULL when nobody is known to hold it. */
const struct used_device *device_use_find(const struct device_use *use,
                                          const char *address);

/* For right before a removal: 0 when nobody holds this one device. BUSY with who does,
 * or with what could not be read. */
int device_check_unused(const struct use_places *places, const struct device *device,
                        struct error *err);

#endif
