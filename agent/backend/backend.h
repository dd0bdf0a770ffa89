/*
 * backend: everything that is known of one kind of device: a const struct of functions,
 * one for each kind, listed in agent/backend/backends.c: `mdev` here, vendor-specific
 * VFIO and passthrough as further ones. The functions keep nothing. create and remove may
 * block for ever in the kernel: only a child of the device_worker calls them.
 */
#ifndef AGENT_BACKEND_BACKEND_H
#define AGENT_BACKEND_BACKEND_H

#include <stdbool.h>

#include "agent/host/card.h"
#include "agent/host/device_use.h"
#include "lib/error.h"
#include "lib/uuid.h"

/* Where the host is: "/sys", or what stands for it in a test, and where to see who uses
 * its devices. */
struct device_place {
    const char *sysfs_root;
    struct use_places use;
};

/* A device as it is, or is to be. Strings as in struct host. */
struct device_spec {
    const char *uuid;
    const char *parent;
    const char *type_id;
};

struct backend {
    const char *name; /* "mdev" */
    /* Adds the cards that offer devices of the kind, with their parents, types and
     * devices, to scan->host. `root` is sysfs. What vanishes meanwhile is left out, what
     * cannot be read makes its card GPU_UNREADABLE; -1 when a list cannot be read, so
     * that nothing is known of the host. In the process that looks at the host, which
     * may hang: it asks card_may_read() before each file that a driver answers. */
    int (*scan)(const struct scan *scan, int root, struct error *err);
    /* 0 when the device is there as it was asked for; `*existed`: it was there before,
     * whoever made it. EXISTS when one of its uuid is somewhere else or of another type, EXHAUSTED when
     * no instance is left, NOT_FOUND when parent or type are not there, BUSY when it is
     * in transition, FORBIDDEN. */
    int (*create)(const struct device_place *place, const struct device_spec *device,
                  bool *existed, struct error *err);
    /* 0 when the device is not there any more. BUSY when it is in use or in transition:
     * then nothing was written. `type_id` does not matter. */
    int (*remove)(const struct device_place *place, const struct device_spec *device,
                  struct error *err);
};

#endif
