/*
 * host: the GPUs of this machine as they were at one moment: plain data, made by
 * host_scan (or by a test), read by everything that decides. Nothing here does I/O.
 * Strings and arrays belong to the struct host.
 *
 * One `gpu` is one physical card: the unit that operators see, that gets one provider,
 * and that fails as one. Its `parents` are what devices are made of, or below: the card
 * itself, or with SR-IOV its virtual functions (then the card is no parent itself). Of
 * which kind they are is a name here (struct backend's); what that means is known in
 * agent/backend alone. A GPU without parents is a display-class PCI device
 * that offers no types now: the board's VGA chip, a card that is unbound or passed
 * through whole, a card whose VFs are not enabled. It is listed so that an operator
 * sees it and why it offers nothing; nothing is to be reported for it unless it is
 * configured by address.
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

#define BACKEND_NAME_SIZE 16   /* "nvidia_vfio" and its end */
#define DEVICE_ADDRESS_SIZE 64 /* a uuid, a PCI address, what a driver numbers */

/* One type that a parent offers: of mdev,
 * /sys/class/mdev_bus/<parent>/mdev_supported_types/<id>/. */
struct device_type {
    char *id;   /* "nvidia-35": may mean another type after a driver upgrade */
    char *name; /* "GRID V100DX-1Q": the stable key. NULL where the driver gives none */
    char *description; /* as the driver writes it, NULL where it gives none */
    char *device_api;  /* "vfio-pci" */
    int available;     /* available_instances; -1 when it could not be read */
    struct type_attributes attributes; /* parsed from the description */
};

/* One device that exists. */
struct device {
    char backend[BACKEND_NAME_SIZE]; /* of which kind it is */
    /* By what the host and a guest's definition name it: the uuid of an mdev, the PCI
     * address of a virtual function or a card. "" only while it is being made, where the
     * driver chooses the address. */
    char address[DEVICE_ADDRESS_SIZE];
    /* Where the host knows one (mdev). "": only the journal says which device it is. */
    char uuid[UUID_TEXT_SIZE];
    char *type_id; /* NULL while in transition */
    /* Who has one of these files open holds the device: "/dev/vfio/12",
     * "/dev/vfio/devices/vfio3" (since Linux 6.1). */
    struct strlist nodes;
    /* A guest that has one of these addresses has the device: a card's further functions
     * (its sound, its USB controller). */
    struct strlist functions;
    bool in_transition; /* being made or removed: neither free nor lost */
    bool
        leaving; /* in transition, by a removal or clearing of the agent's own: until it
                     is done, available_instances does not have its instance */
};

struct parent {
    char backend[BACKEND_NAME_SIZE]; /* of its devices */
    char *name; /* the kernel's: "0000:84:00.0", "0000:84:00.4" (a VF), "mtty" */
    char *path; /* below the sysfs root, through the class link resolved:
                   "devices/pci0000:80/.../0000:84:00.0" */
    struct device_type *types; /* by id, in natural order (nvidia-9 before nvidia-35) */
    size_t type_count;
    struct device *devices; /* by address */
    size_t device_count;
};

enum gpu_health {
    GPU_OK,
    GPU_GONE,       /* known from the journal or the configuration, not on the bus */
    GPU_LOST,       /* fell off the bus: its config space reads all ones */
    GPU_UNREADABLE, /* a file that decides could not be read: `health_reason` says which
                     */
    GPU_UNUSABLE,   /* well as far as can be seen, but it offers no devices: only said
                       of one that is configured */
};

struct gpu {
    char *name; /* "0000:84:00.0": the PF's address, or the parent's name where it is
                   not PCI */
    char *node_name; /* libvirt's name: "pci_0000_84_00_0", "mtty_mtty" */
    bool is_pci;
    uint16_t vendor, device;       /* 0x10de, 0x1db6; 0 where not PCI or not readable */
    char *driver;                  /* "nvidia"; NULL when unbound */
    int numa_node;                 /* -1: none, or not known */
    unsigned vf_total, vf_enabled; /* sriov_totalvfs, sriov_numvfs; 0 without SR-IOV */
    enum gpu_health health;
    char *health_reason;    /* NULL when GPU_OK */
    struct parent *parents; /* in the order of the bus */
    size_t parent_count;
};

struct host {
    struct gpu *gpus; /* in the order of the bus, then those that are not PCI by name */
    size_t gpu_count;
    /* Devices in transition whose parent is not (or not any more) known. */
    struct device *strays;
    size_t stray_count;
};

void host_free(struct host *host);
DEFINE_CLEANUP(struct host *, host_free)

/* Below, names are as in the structs; NULL (0) when there is none such. */
const struct gpu *host_gpu(const struct host *host, const char *name);
/* The GPU with a parent of that name; `parent` may be NULL. */
const struct gpu *host_parent(const struct host *host, const char *name,
                              const struct parent **parent);
const struct device_type *parent_type(const struct parent *parent, const char *type_id);
/* The first parent's idea of the type: id, name and attributes are the same on all
 * parents of a card. */
const struct device_type *gpu_type(const struct gpu *gpu, const char *type_id);
/* Some parent of it offers some type. */
bool gpu_offers_types(const struct gpu *gpu);
/* The type that a configuration means by `configured`: an id ("nvidia-35"), else a name
 * ("GRID V100DX-1Q"). */
const struct device_type *gpu_resolve_type(const struct gpu *gpu,
                                           const char *configured);
/* What people call it: its id, its name, or the end of its name from some word on
 * ("M10-2Q" of "GRID M10-2Q"), in either case. */
bool type_is_called(const struct device_type *type, const char *word);
/* The device of that address or uuid, and where it is; NULL when the host has none such.
 * `gpu` and `parent` may be NULL; for a stray they get NULL. */
const struct device *host_device(const struct host *host, const char *name,
                                 const struct gpu **gpu, const struct parent **parent);
/* "ok", "gone", "lost", "unreadable", "unusable" */
const char *gpu_health_name(enum gpu_health health);

/* For those who make a host (host_scan, tests): the GPU or parent of that name, added
 * when it is new, with what cannot be known from the name left empty (the node_name of
 * what is not PCI is a guess: "mtty_mtty"). What they return is good until the next
 * addition to the same array. */
struct gpu *host_add_gpu(struct host *host, const char *name);
struct parent *gpu_add_parent(struct gpu *gpu, const char *backend, const char *name);
struct device *parent_add_device(struct parent *parent, const char *address);
/* Frees what the device holds. */
void device_clear(struct device *device);
/* libvirt's name of the device `name` in `subsystem`: "pci_0000_84_00_0", "mtty_mtty",
 * "css_0_0_26ab", "ap_matrix". The caller frees. */
char *node_device_name(const char *subsystem, const char *name);
/* Puts everything into the order that the structs promise. */
void host_sort(struct host *host);

/* Says that an operation on this device is still under way in the kernel, whatever
 * sysfs showed: it is in transition from here on, and is added (to the parent `parent`,
 * or to the strays when there is none such) if the scan did not see it. Of `device` the
 * backend, address, uuid and `leaving` are taken. */
void host_mark_in_transition(struct host *host, const struct device *device,
                             const char *parent);

#endif
