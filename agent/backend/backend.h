/*
 * backend: everything that is known of one kind of device: a const struct of functions,
 * one for each kind, listed in agent/backend/backends.c. Above this folder nobody knows
 * a kind by name, nor a maker: parents, devices and the journal's entries carry the
 * kind's name, and whoever has one asks backend_find(). doc/kinds-of-devices.rst says
 * what a new kind needs. The functions keep nothing.
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

/* A device as it is, or is to be. Strings as in struct host; `type_id` may be NULL for a
 * removal. */
struct device_spec {
    const char *uuid;     /* the agent's name for it */
    const char *address;  /* the host's; "": only create() learns it */
    const char *gpu;      /* the card */
    const char *parent;   /* of it, */
    const char *type_id;  /* and what it offers */
    const char *consumer; /* for whom it is, as the journal has it */
};

struct backend {
    /* Stands in the journal, and so never changes: "mdev". */
    const char *name;
    const char *noun;   /* one device, in messages: "mdev" */
    const char *offers; /* what parents have of it: "mediated devices" */

    /* ---- the host as it is; in the process that looks at the host, which may hang */

    /* Adds the cards that offer devices of the kind, with their parents, types and
     * devices, to scan->host. `root` is sysfs. What vanishes meanwhile is left out, what
     * cannot be read makes its card GPU_UNREADABLE; -1 when a list cannot be read, so
     * that nothing is known of the host. Asks card_may_read() before each file that a
     * driver answers. */
    int (*scan)(const struct scan *scan, int root, struct error *err);

    /* ---- pure functions */

    /* The address that a device which is made with this uuid below that parent is to
     * get; "" where only create() learns it. */
    void (*address)(const char *parent, const char *uuid,
                    char out[DEVICE_ADDRESS_SIZE]);
    /* Whether a domain that names `address` can mean only a device of this kind, so that
     * one which is not on the host was lost. */
    bool (*is_address)(const struct host *host, const char *address);
    /* What gives the device to a guest: an element for a libvirt domain, and the
     * value of QEMU's -device; without a line feed at the end. `type` may be NULL. The caller frees. */
    char *(*guest_xml)(const struct device *device, const struct device_type *type);
    char *(*qemu_device)(const struct device *device, const struct device_type *type);
    /* Of a card that is well and offers nothing, with a parent of this kind or without
     * any: why, as far as the kind knows, and what mends it; for people. NULL: the kind
     * has nothing to say of this card. The caller frees. */
    char *(*obstacle)(const struct gpu *gpu);
    char *(*remedy)(const struct gpu *gpu);

    /* ---- changes; by a child of the device_worker, since they may block for ever */

    /* 0 when the device is there as it was asked for, at *address; `*existed`: it was
     * there before, whoever made it. EXISTS when one of its uuid or address is somewhere
     * else, another's or of another type, EXHAUSTED when no instance is left, NOT_FOUND
     * when parent or type are not there, BUSY when it is in transition, FORBIDDEN. */
    int (*create)(const struct device_place *place, const struct device_spec *device,
                  char address[DEVICE_ADDRESS_SIZE], bool *existed, struct error *err);
    /* 0 when the device is not there any more. BUSY when it is in use or in transition,
     * looked at right before the write: then nothing was written. Where an address is
     * used again, what is there is compared with `device` in the same way, and what is
     * another's by now is left alone, as gone. */
    int (*remove)(const struct device_place *place, const struct device_spec *device,
                  struct error *err);
    /* Takes from the device what was set on it for one consumer, before it is another's.
     * 0 when nothing is left, or this kind keeps nothing. BUSY when it is in use or in
     * transition: then nothing was written. `type_id` does not matter. */
    int (*clear)(const struct device_place *place, const struct device_spec *device,
                 struct error *err);
};

/* The kind of that name; NULL: this program has none such. */
const struct backend *backend_find(const char *name);
/* What its parents have, also where there is no such kind. */
const char *backend_offers(const char *name);
/* is_address() of any kind. */
bool backend_is_address(const struct host *host, const char *address);

/* Why nothing can be made on a GPU, though it can be seen well; NULL: something can. The
 * caller frees. */
char *gpu_obstacle(const struct gpu *gpu);
/* The same of all of the host together, with what mends it; NULL: some GPU offers some
 * type. `sysfs_root` is where they were looked for. */
char *host_obstacle(const struct host *host, const char *sysfs_root);
/* What mends that, or the health that the GPU is in; for people. The caller frees. */
char *gpu_remedy(const struct gpu *gpu);

#endif
