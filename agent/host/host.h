/*
 * host: the GPUs of this machine as they were at one moment. Plain data, made by
 * host_scan() (or by a test) and read by everything that decides. No I/O. Strings and
 * arrays belong to the struct host.
 *
 * A `gpu` is one physical card: the unit that operators see, that gets one provider,
 * and that fails as a whole. Its `parents` offer the types and have the devices: the
 * card itself, or with SR-IOV its virtual functions (then the card is no parent
 * itself). The kind of a parent or a device is the name of its struct backend; only
 * agent/backend knows what the name means.
 *
 * A GPU without parents is a display-class PCI device that offers no types now: the
 * board's VGA chip, a card that is unbound or passed through whole, a card whose VFs
 * are not enabled. It is listed so that an operator sees it and the reason why it
 * offers nothing. It is reported as a problem only if it is configured by its address.
 */
#ifndef AGENT_HOST_HOST_H
#define AGENT_HOST_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/host/type_attributes.h"
#include "lib/cleanup.h"
#include "lib/strlist.h"
#include "lib/uuid.h"

#define BACKEND_NAME_SIZE 16   /* "nvidia_vfio" and the terminating NUL */
#define DEVICE_ADDRESS_SIZE 64 /* a uuid, a PCI address, or a number from a driver */

/* A type that a parent offers. With mdev it is
 * /sys/class/mdev_bus/<parent>/mdev_supported_types/<id>/. */
struct device_type {
    char *id; /* "nvidia-35": may mean another type after a driver upgrade */
    /* "GRID V100DX-1Q": unlike the id, it stays the same. NULL where the driver has
     * none. */
    char *name;
    char *description; /* as the driver writes it, NULL where it gives none */
    char *device_api;  /* "vfio-pci" */
    int available;     /* available_instances; -1 when it could not be read */
    struct type_attributes attributes; /* parsed from the description */
};

/* One device that exists. */
struct device {
    char backend[BACKEND_NAME_SIZE]; /* the name of its struct backend */
    /* The name that the host and a guest's definition use for the device: the uuid of
     * an mdev, the PCI address of a virtual function or a card. "" only while the
     * device is being made, where the driver chooses the address. */
    char address[DEVICE_ADDRESS_SIZE];
    /* The uuid that the host knows (mdev). "": the host knows none, and only the
     * journal tells which device this is. */
    char uuid[UUID_TEXT_SIZE];
    char *type_id; /* NULL while in transition */
    /* The process that has one of these files open uses the device: "/dev/vfio/12",
     * "/dev/vfio/devices/vfio3" (since Linux 6.1). */
    struct strlist nodes;
    /* The addresses of a card's further functions (its sound, its USB controller): a
     * guest that has one of them has the device. */
    struct strlist functions;
    /* Of a place: what others have set on it, which goes when the device is made and is
     * to be there again when it is removed; "" for nothing. Only the kind reads it. NULL:
     * not known, or the kind knows no such thing. */
    char *former;
    bool in_transition; /* being made or removed: neither free nor lost */
    /* In transition by a removal or clearing of the agent's own. Until that has ended,
     * available_instances does not contain the instance. */
    bool leaving;
};

struct parent {
    char backend[BACKEND_NAME_SIZE]; /* the name of its struct backend */
    /* as the kernel has it: "0000:84:00.0", "0000:84:00.4" (a VF), "mtty" */
    char *name;
    /* Below the sysfs root, with the class link resolved:
     * "devices/pci0000:80/.../0000:84:00.0". */
    char *path;
    /* in natural order of the ids (nvidia-9 before nvidia-35) */
    struct device_type *types;
    size_t type_count;
    struct device *devices; /* in the order of their addresses */
    size_t device_count;
    /* The address, nodes and functions that its device will have, where that is known
     * before there is one (a virtual function, a card): guests and processes can have
     * them already. At most one; none where the device exists. */
    struct device *places;
    size_t place_count;
};

enum gpu_health {
    GPU_OK,
    GPU_GONE, /* known from the journal or the configuration, not on the bus */
    GPU_LOST, /* fell off the bus: its config space reads all ones */
    /* A file that decides could not be read; `health_reason` names it. */
    GPU_UNREADABLE,
    /* It has no fault that can be seen, but offers no devices. Only a configured GPU
     * gets this state. */
    GPU_UNUSABLE,
};

struct gpu {
    /* The PF's address, "0000:84:00.0"; the parent's name where it is not PCI. */
    char *name;
    char *node_name; /* libvirt's name: "pci_0000_84_00_0", "mtty_mtty" */
    bool is_pci;
    uint16_t vendor, device;       /* 0x10de, 0x1db6; 0 where not PCI or not readable */
    char *driver;                  /* "nvidia"; NULL when unbound */
    int numa_node;                 /* -1: none, or not known */
    unsigned vf_total, vf_enabled; /* sriov_totalvfs, sriov_numvfs; 0 without SR-IOV */
    /* The parts that the maker's tools have cut the card into, of which each is for
     * devices of its own (GPU instances); -1: it cannot be seen. */
    int partitions;
    enum gpu_health health;
    char *health_reason;    /* NULL when GPU_OK */
    struct parent *parents; /* in the order of the bus */
    size_t parent_count;
};

struct host {
    struct gpu *gpus; /* in the order of the bus, then those that are not PCI by name */
    size_t gpu_count;
    /* Devices in transition whose parent is not, or not any more, known. */
    struct device *strays;
    size_t stray_count;
};

void host_free(struct host *host);
DEFINE_CLEANUP(struct host *, host_free)

/* In all functions below, names are as in the structs, and NULL (or 0) means that there
 * is none. */
const struct gpu *host_gpu(const struct host *host, const char *name);
/* The GPU that has the parent of that name. `parent` may be NULL. */
const struct gpu *host_parent(const struct host *host, const char *name,
                              const struct parent **parent);
const struct device_type *parent_type(const struct parent *parent, const char *type_id);
/* The GPU's name by its place among the host's PCI GPUs in the order of the bus, 1 for
 * the first: "gpupci1". NULL for one that is not PCI. It changes when a card is added
 * or taken out, so that it is for people who look at the list, and is never stored. The
 * caller frees. */
char *host_logical_name(const struct host *host, const struct gpu *gpu);
/* The type as the card's first parent describes it: id, name and attributes are the
 * same on all parents of a card. */
const struct device_type *gpu_type(const struct gpu *gpu, const char *type_id);
/* Whether at least one of its parents offers a type. */
bool gpu_offers_types(const struct gpu *gpu);
/* Whether a parent has the place of a device that does not exist. */
bool host_has_places(const struct host *host);
/* The type that `configured` names: by its id ("nvidia-35"), else by its name ("GRID
 * V100DX-1Q"), else by the number that its id ends in ("35"). */
const struct device_type *gpu_resolve_type(const struct gpu *gpu,
                                           const char *configured);
/* Whether `word` is the name of a type, or its end from the start of a word on ("M10-2Q"
 * of "GRID M10-2Q"), in either case. `name` may be NULL. */
bool type_name_is(const char *name, const char *word);
/* Whether `word` is the type's id, the number in it, or its name as above. */
bool type_is_called(const struct device_type *type, const char *word);
/* The device of that address or uuid, its GPU and its parent; NULL when the host has no
 * such device. `gpu` and `parent` may be NULL; they are set to NULL for a stray. */
const struct device *host_device(const struct host *host, const char *name,
                                 const struct gpu **gpu, const struct parent **parent);
/* The device as a guest's definition names it, one address after the other: its own
 * (part 0), then its further functions'. All but the address is borrowed from the
 * device. */
size_t device_part_count(const struct device *device);
struct device device_part(const struct device *device, size_t part);
/* "ok", "gone", "lost", "unreadable", "unusable" */
const char *gpu_health_name(enum gpu_health health);

/* For code that builds a host (host_scan, tests): the GPU or parent of that name, added
 * when it is new. Members that do not follow from the name are left empty; the
 * node_name of a device that is not PCI is a guess ("mtty_mtty"). The pointer is valid
 * until the next addition to the same array. */
struct gpu *host_add_gpu(struct host *host, const char *name);
struct parent *gpu_add_parent(struct gpu *gpu, const char *backend, const char *name);
/* The parent is this GPU's no longer, with all that it has. */
void gpu_drop_parent(struct gpu *gpu, const char *name);
struct device *parent_add_device(struct parent *parent, const char *address);
struct device *parent_add_place(struct parent *parent, const char *address);
/* The device of that address is no longer there. */
void host_drop_device(struct host *host, const char *address);
/* Frees the members of the device. */
void device_clear(struct device *device);
/* libvirt's name of the device `name` in `subsystem`: "pci_0000_84_00_0", "mtty_mtty",
 * "css_0_0_26ab", "ap_matrix". The caller frees. */
char *node_device_name(const char *subsystem, const char *name);
/* Sorts all arrays as the comments on the structs say. */
void host_sort(struct host *host);

/* Records that an operation on this device still runs in the kernel, whatever sysfs
 * showed. The device is then in transition; if the scan did not see it, it is added, to
 * the parent `parent` or else to the strays. Of `device` the backend, address, uuid and
 * `leaving` are used. */
void host_mark_in_transition(struct host *host, const struct device *device,
                             const char *parent);

#endif
