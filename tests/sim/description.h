/*
 * description: what a host file says: models of cards with their types, and the cards
 * that are plugged in. Plain data, read once, never changed after. A host file is JSON:
 *
 *     {
 *       "models": {
 *         "M10": {
 *           "vendor": "0x10de", "device": "0x13bd", "driver": "nvidia",
 *           "types": [
 *             {"id": "nvidia-35", "name": "GRID M10-0B", "instances": 16,
 *              "description": "num_heads=2, ..."}
 *           ]
 *         }
 *       },
 *       "cards": [
 *         {"model": "M10", "path": "pci0000:80/0000:80:02.0/0000:84:00.0"}
 *       ]
 *     }
 *
 * A model may also have "class" ("0x030000"), "sharing" ("one-type", the default:
 * homogeneous as NVIDIA's; "mixed": types share the card as Intel's, "gvtg": {"low":
 * 896, "high": 2688, "fence": 28}, by what their descriptions say that they take of
 * that, as i915 does; else by their "instances"), "exhausted" (the errno of a create
 * when nothing is left: "ENOSPC" by the driver, the default; "EUSERS" by the kernel's
 * core), and "sriov": {"total": 32, "offset": 4, "stride": 1, "by_hand": true}: then
 * its virtual functions are the parents, one instance each; by_hand false: the driver
 * refuses writes to sriov_numvfs. "interface": "vendor-vfio" (default "mdev"): a store
 * gives a virtual function its type, see vgpu_function.h; the ids of its types are
 * numbers. "fixed": each virtual function is a unit as it is, and has no files for
 * that; there are no types. "xe": each virtual function has a share of the card's
 * memory, "vram" in MiB, see xe_card.h; there are no types. "none": it cannot be cut. A
 * type may also have "device_api". "instances" is what one whole card gives of a type:
 * its framebuffer's worth.
 *
 * A card's "path" is below devices/; its last component is its name: a PCI address, or
 * of another kind ("virtual/mtty/mtty"). It may also have "numa_node" (-1) and "numvfs"
 * (0), the virtual functions that are on from the start. "sriov_mode": false, of a
 * model with vendor-vfio: its driver has been told to offer mdevs ("Host VGPU Mode: Non
 * SR-IOV"): its virtual functions are mdev parents, with those files beside.
 *
 * Cards and types may be many: {"first": 64, "count": 8, ...}: in their texts {x}
 * stands for the number in two hex digits, {d} for it in decimal.
 *
 * "group", of a PCI card: the address of a device that comes before it (a bridge on its
 * way, or another function), whose IOMMU group it is in as well. So a card's sound is
 * {"model": ..., "path": ".../0000:84:00.1", "group": "0000:84:00.0"}, of a model whose
 * interface is "none". "console": true: the firmware's display (boot_vga). "nodes": the
 * device nodes that its driver serves, as sysfs has them: ["drm/card0"].
 *
 * "vfio_pci": false at the top: that module is not loaded.
 * "mdev": false at the top: the kernel has no mdev module loaded. "iommu": false: it
 * found no IOMMU, so that PCI devices are in no group, and class/iommu is empty.
 */
#ifndef TESTS_SIM_DESCRIPTION_H
#define TESTS_SIM_DESCRIPTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/cleanup.h"
#include "lib/error.h"
#include "lib/strlist.h"

/* What Intel GVT-g divides: megabytes of graphics memory that the processor sees, and
 * that it does not, and fence registers. */
struct graphics {
    unsigned low, high, fence;
};

struct type_description {
    char *id;
    char *name;        /* NULL: the driver gives none */
    char *description; /* NULL: the driver gives none */
    char *device_api;
    unsigned instances;
    struct graphics takes; /* of its description; all 0: it tells none */
};

struct sriov_description {
    unsigned total; /* 0: the card has no SR-IOV */
    unsigned offset, stride;
    bool by_hand;
};

/* What makes a virtual GPU of a card. */
enum interface {
    INTERFACE_MDEV,
    INTERFACE_VENDOR_VFIO,
    INTERFACE_FIXED,
    INTERFACE_NONE,
    INTERFACE_XE
};

struct model {
    char *name;
    char *vendor, *device, *class; /* "0x10de"; NULL where not PCI */
    char *driver;
    bool mixed;
    struct graphics graphics; /* all 0: types share the card by their "instances" */
    enum interface interface;
    uint64_t vram; /* MiB */
    int exhausted; /* ENOSPC or EUSERS */
    struct sriov_description sriov;
    struct type_description *types;
    size_t type_count;
};

struct card_description {
    const struct model *model;
    char *path;
    int numa_node;
    unsigned numvfs;
    bool sriov_mode;
    char *group; /* NULL: one of its own */
    bool console;
    struct strlist nodes; /* folders below the function while its own driver has it */
};

struct description {
    bool mdev, iommu, vfio_pci;
    struct model **models;
    size_t model_count;
    struct card_description *cards;
    size_t card_count;
};

/* ERROR_INVALID names the place: "models.M10.types[2].instances: expected an integer,
 * got a string". */
int description_parse(const char *text, size_t length, struct description **out,
                      struct error *err);
int description_read(const char *file, struct description **out, struct error *err);
void description_free(struct description *description);
DEFINE_CLEANUP(struct description *, description_free)

/* "0000:84:00.0": domain of 4 to 8 hex digits, bus, slot below 0x20, function below 8.
 */
bool pci_address_valid(const char *text);

#endif
