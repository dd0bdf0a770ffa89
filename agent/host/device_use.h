/*
 * device_use: who uses devices, by their addresses, as far as sysfs does not say it:
 * libvirt's domains (defined: /etc/libvirt/qemu/\*.xml, running:
 * /run/libvirt/qemu/\*.xml), mdevctl's definitions (/etc/mdevctl.d/<parent>/<uuid>),
 * and processes with an open VFIO group or device. The agent never removes a device
 * that is used, nor makes one in a place that somebody else uses (struct parent). A scan
 * reads the descriptors of every process, so it is not for idle cycles; one of the names
 * alone is, where the files of domains are known (struct use_places). A device that a
 * domain names counts as used, whether libvirt's files say so or libvirt itself.
 */
#ifndef AGENT_HOST_DEVICE_USE_H
#define AGENT_HOST_DEVICE_USE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "agent/host/domains.h"
#include "agent/host/host.h"
#include "config/config.h"
#include "lib/error.h"
#include "lib/strlist.h"

#define USE_DEFINED "etc/libvirt/qemu"
#define USE_RUNNING "run/libvirt/qemu"
/* The places that the configuration names; borrows from it. */
struct use_places use_places_of(const struct config *config);

/* One device that somebody uses. It may not exist: a domain or a definition may name a
 * device that a reboot removed. */
struct used_device {
    char address[DEVICE_ADDRESS_SIZE]; /* as in struct device; it may not be a GPU's */
    /* The libvirt domain that names the device; "" if none. A running domain is
     * preferred to one that is only defined. */
    char domain[UUID_TEXT_SIZE];
    bool running; /* `domain` runs */
    /* a process has /dev/vfio/<group> or its device node open */
    bool group_open;
    pid_t holder;           /* that process; 0: none */
    bool defined;           /* mdevctl has a definition of it */
    struct strlist domains; /* the uuids of all domains that name it */
};

struct device_use {
    bool unknown; /* a place could not be read: treat every device as used */
    /* `unknown`, because libvirt's definitions could not be read */
    bool domains_unknown;
    struct used_device *devices;
    size_t count;
    /* the uuids of all domains, also of those without devices */
    struct strlist domains;
};

/* Scans all places. Never fails: what cannot be read makes the result `unknown`, with
 * the reason in *note, which must be NULL before and which the caller frees. mdevctl's
 * folder may be absent; /proc must exist when the host has a device with a device node.
 * Of a domain's XML only what domain_xml reads counts. `note` may be NULL. */
struct device_use *device_use_scan(const struct use_places *places,
                                   const struct host *host, char **note);
/* The same without the processes: with five hundred domains 3 ms of processor time where
 * their files are known and 60 where not, as against fifty for the descriptors of five
 * hundred processes. `holder` and `group_open` say
 * nothing. */
struct device_use *device_use_scan_names(const struct use_places *places,
                                         const struct host *host);
void device_use_free(struct device_use *use);
DEFINE_CLEANUP(struct device_use *, device_use_free)
/* NULL when no use of the device is known. */
const struct used_device *device_use_find(const struct device_use *use,
                                          const char *address);

/* "the running domain 0f... names it", "process 5000 has it open". The caller frees. */
char *used_device_who(const struct used_device *used);
/* Whether that domain names the device, and nobody else is known to use it: a device may
 * be made there for this consumer. */
bool used_device_is_only(const struct used_device *used, const char *domain);

/* For use right before a removal: 0 when nobody uses this device. BUSY when somebody
 * does, or when a place could not be read; the text says which. */
int device_check_unused(const struct use_places *places, const struct device *device,
                        struct error *err);

/* The same for use right before a device is made where its address may be another's by
 * now: that the domain `consumer` alone names it, and nobody has it open, is no use. */
int device_check_unused_by_others(const struct use_places *places,
                                  const struct device *device, const char *consumer,
                                  struct error *err);

/* The same for use right before settings are written that a guest may have only from its
 * start on: that domains which do not run name the device, or mdevctl defines it, is no
 * use. */
int device_check_no_guest(const struct use_places *places, const struct device *device,
                          struct error *err);

#endif
