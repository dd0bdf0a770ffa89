/*
 * backend: everything that is known of one kind of device: a const struct of functions
 * for each kind, listed in agent/backend/backends.c. Code above this folder knows no
 * kind and no manufacturer by name: parents, devices and the journal's entries carry
 * the kind's name, and backend_find() gives its functions. doc/kinds-of-devices.rst
 * says what a new kind needs. The functions keep nothing between calls.
 */
#ifndef AGENT_BACKEND_BACKEND_H
#define AGENT_BACKEND_BACKEND_H

#include <stdbool.h>
#include <sys/types.h>

#include "agent/host/card.h"
#include "agent/host/device_use.h"
#include "lib/error.h"
#include "lib/uuid.h"

/* The host's sysfs: "/sys", or a folder that stands for it in a test; and the places
 * that tell who uses its devices. */
struct device_place {
    const char *sysfs_root;
    struct use_places use;
    /* The process that has a change made by a child of its own; 0: nobody else has. */
    pid_t agent;
};

/* For a child, right before each store but the first and before it takes back what it
 * did: BUSY when its agent has ended. What is half done then, the next agent completes
 * or takes back, and it may have given the device to another consumer by now. */
int device_place_check_agent(const struct device_place *place, struct error *err);

/* A device that exists or is to be made. Strings as in struct host; `type_id` may be
 * NULL for a removal. */
struct device_spec {
    const char *uuid;      /* the agent's name for the device */
    const char *address;   /* the host's name for it; "": only create() learns it */
    const char *gpu;       /* the card */
    const char *parent;    /* a parent of the card */
    const char *type_id;   /* a type that the parent offers */
    const char *type_name; /* its name; NULL: it has none */
    const char *consumer;  /* whose device it is, as the journal has it */
    /* The settings that the device gets ("frame_rate_limiter=0, disable_vnc=1"); NULL:
     * none. Not used for a removal. */
    const char *parameters;
    /* For a removal: what others had set there before (struct device's `former`); NULL:
     * nothing. */
    const char *former;
};

/* A type of a model of card, as a look at the host has shown it, now or earlier. */
struct known_type {
    const char *id, *name;
};

struct backend {
    /* The kind's name, "mdev". The journal contains it, so it must never change. */
    const char *name;
    const char *noun;   /* one device, in messages: "mdev" */
    const char *offers; /* what parents offer, in messages: "mediated devices" */
    /* nova-compute makes no devices of this kind by [devices], so that there is nothing
     * of it in mode nova. */
    bool unknown_to_nova;
    /* A device consists of parts: what is not shown as a device may be a part of one that
     * was half made or half removed. create() completes it, remove() removes the part. */
    bool parts_remain;
    /* Devices are there whoever has them: none is made or removed, and remove() only
     * makes sure that nobody has it. */
    bool permanent;
    /* What remove() does where the device's hardware stays, for people: "is free
     * again". NULL: it removes the device. */
    const char *release;
    /* Libvirt binds vfio-pci to a device for its guest, and its driver afterwards
     * (managed='yes'). Else its driver serves VFIO itself, or it is no PCI device. */
    bool bound_by_libvirt;
    /* create() binds vfio-pci to a device, whose module nobody loads for it. */
    bool bound_by_agent;
    /* create() enables the virtual functions of a card, with a share for each: nothing
     * else may enable them before. */
    bool enables_functions;
    /* How the service's user gets the right to write written()'s files, for people. NULL:
     * by udev's rule. */
    const char *right;

    /* ---- the host as it is; in the process that looks at the host, which may hang */

    /* Adds the cards that offer devices of the kind, with their parents, types and
     * devices, to scan->host. `root` is a descriptor of sysfs. What is removed
     * meanwhile is left out; a card whose files cannot be read becomes GPU_UNREADABLE.
     * -1 when a list cannot be read, so that nothing is known of the host. Calls
     * card_may_read() before each file that a driver answers. */
    int (*scan)(const struct scan *scan, int root, struct error *err);

    /* ---- pure functions */

    /* Completes a card, whose parents may have stopped to name the types that they
     * offer, with those that cards of its model are known to have: adds the types that
     * are missing, and what follows from their names. NULL: the host always names all
     * types of this kind. */
    void (*recall)(struct gpu *gpu, const struct known_type *known, size_t count);
    /* The address that a device made with this uuid below that parent will get; ""
     * where only create() learns it. */
    void (*address)(const char *parent, const char *uuid,
                    char out[DEVICE_ADDRESS_SIZE]);
    /* Whether a domain that names `address` can only mean a device of this kind. Then,
     * if the host does not have the device, it was lost. NULL: the address of a device
     * is its parent's, so that only those of parents of this kind can. */
    bool (*is_address)(const struct host *host, const char *address);
    /* The configuration that gives the device to a guest: an element for a libvirt
     * domain; the value of QEMU's -device. No line feed at the end. `type` may be NULL.
     * The caller frees. */
    char *(*guest_xml)(const struct device *device, const struct device_type *type);
    char *(*qemu_device)(const struct device *device, const struct device_type *type);
    /* Like guest_xml(), with what the domain is to do with the device's display: `ramfb`
     * shows the guest's framebuffer on it until its driver is there. NULL where a device
     * of this type has none. NULL: no device of this kind has one. */
    char *(*guest_xml_display)(const struct device *device,
                               const struct device_type *type, bool display,
                               bool ramfb);
    /* For a card that is well, offers nothing, and has a parent of this kind or none at
     * all: the reason as far as the kind knows it, and what would help, as texts for
     * people. NULL: the kind knows nothing of this card. The caller frees. */
    char *(*obstacle)(const struct gpu *gpu);
    char *(*remedy)(const struct gpu *gpu);
    /* The files below sysfs that create() writes to make a device below this parent. The
     * caller ends the list. NULL: it writes none. */
    struct strlist (*written)(const struct parent *parent);

    /* ---- one device, for people */

    /* The name of the guest that has the device, as its driver says it. Reads a file of
     * the driver's. `root` is a descriptor of sysfs. NULL: the driver names none, or
     * could not be asked. The caller frees. NULL: no driver of this kind names guests. */
    char *(*guest_name)(int root, const struct device *device);
    /* What the driver shows of the settings of the device (struct device_spec's
     * parameters), "" where it shows none. Reads a file of the driver's, and may hang.
     * `root` is a descriptor of sysfs. UNSUPPORTED where the device has none. The caller
     * frees *out. NULL: no driver of this kind has any. */
    int (*parameters)(int root, const struct device *device, char **out,
                      struct error *err);

    /* ---- changes; by a child of the device_worker, since they may block for ever */

    /* 0 when the device exists as it was requested, with its parameters, and with its
     * address in *address; `*existed`: it had existed before, whoever made it. EXISTS
     * when a device with its uuid or address exists elsewhere, belongs to somebody else
     * or has another type: then an address that can be used again is noted as not this
     * device's. EXHAUSTED when no instance is left; NOT_FOUND when the parent or the
     * type does not exist; BUSY when the device is in transition; FORBIDDEN. A device
     * that the parameters cannot be written to is removed again, unless it had
     * existed. */
    int (*create)(const struct device_place *place, const struct device_spec *device,
                  char address[DEVICE_ADDRESS_SIZE], bool *existed, struct error *err);
    /* 0 when the device does not exist any more. BUSY when it is used or in transition,
     * which is checked right before the write: then nothing was written. Where the host
     * may give an address to another device, the device that exists is compared with
     * `device` right before the write as well; when it is somebody else's by now, it is
     * left alone, and the result is 0. */
    int (*remove)(const struct device_place *place, const struct device_spec *device,
                  struct error *err);
    /* Removes the settings that were made on the device for one consumer, before
     * another consumer gets it, and writes its parameters. 0 when no others are left, or
     * the kind has no such settings. BUSY when it is used or in transition: then nothing
     * was written. `type_id` is not used. */
    int (*clear)(const struct device_place *place, const struct device_spec *device,
                 struct error *err);
    /* Like clear(), but a device that a domain names which does not run, and that nobody
     * has open, is not in use: its parameters are for that guest. Looks at that itself,
     * right before the write: a driver need not refuse. NULL: devices of this kind have
     * no parameters. */
    int (*set_parameters)(const struct device_place *place,
                          const struct device_spec *device, struct error *err);
};

/* The kind of that name; NULL: this program does not know it. */
const struct backend *backend_find(const char *name);
/* What parents of that kind offer (struct backend), also for a kind that this program
 * does not know. */
const char *backend_offers(const char *name);
/* Whether a device of that kind that the host does not show may have left parts. */
bool backend_leaves_parts(const char *name);
/* Whether devices of that kind are there whoever has them (struct backend). */
bool backend_is_permanent(const char *name);
/* Whether mode nova has something to do for parents of that kind. */
bool backend_is_novas(const char *name);
/* Whether a domain that names `address` can only mean a device of one of the kinds
 * (is_address()). */
bool backend_is_address(const struct host *host, const char *address);

/* The reason why no device can be made on a GPU whose files can be read; NULL: its
 * parents offer types. The caller frees. */
char *gpu_obstacle(const struct gpu *gpu);
/* The reason why no GPU of the host offers a type, with what would help; NULL: one
 * does. `sysfs_root` is the folder that was scanned. The caller frees. */
char *host_obstacle(const struct host *host, const char *sysfs_root);
/* What would help against gpu_obstacle() or against the GPU's health; a text for
 * people. The caller frees. */
char *gpu_remedy(const struct gpu *gpu);

#endif
