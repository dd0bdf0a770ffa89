#include "agent/backend/fixed_vf.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "agent/backend/virtual_function.h"
#include "agent/host/sysfs.h"
#include "lib/pci_address.h"
#include "lib/xalloc.h"

/* The kind's name, in the journal and in every device. */
#define NAME "fixed_vf"

/* ---- the scan ---- */

/* A function that its driver cuts, or offers mdevs of, is of another kind. */
static bool is_cut_otherwise(int folder)
{
    return faccessat(folder, "mdev_supported_types", F_OK, 0) == 0;
}

/* As many of the type as there are functions: none can be made. */
static void add_unit(struct parent *parent, const struct mdev_type_config *config)
{
    struct device_type *type = array_add(parent->types, parent->type_count);
    type->id = xstrdup(config->type);
    type->device_api = xstrdup("vfio-pci");
}

static void read_function(const struct scan *scan, const struct mdev_type_config *type,
                          int functions, const char *name)
{
    _cleanup_close_ int folder = folder_open(functions, name);
    if (folder < 0 || host_parent(scan->host, name, NULL) || is_cut_otherwise(folder))
        return;
    struct gpu *gpu = card_of_function(scan, folder, name);
    struct parent *parent = gpu_add_parent(gpu, NAME, name);
    parent->path = function_path(functions, name);
    add_unit(parent, type);
    struct device *device = parent_add_device(parent, name);
    device->type_id = xstrdup(type->type);
    device_read_nodes(folder, device);
}

/* The links are the kernel's own, so that a card that does not answer still has its
 * functions. */
static void read_card(const struct scan *scan, const struct mdev_type_config *type,
                      int functions, const char *address)
{
    _cleanup_close_ int named = folder_open(functions, address);
    _cleanup_free_ char *pf = named < 0 ? NULL : folder_link_name(named, "physfn");
    _cleanup_close_ int card = named < 0 ? -1 : folder_open(named, pf ? "physfn" : ".");
    if (card < 0)
        return;
    (void)card_of_function(scan, card, pf ? pf : address);
    for (unsigned i = 0;; i++) {
        char link[32];
        snprintf(link, sizeof link, "virtfn%u", i);
        _cleanup_free_ char *name = folder_link_name(card, link);
        if (!name)
            return;
        read_function(scan, type, functions, name);
    }
}

static int scan_functions(const struct scan *scan, int root, struct error *err)
{
    _cleanup_close_ int functions = folder_open(root, FUNCTIONS_FOLDER);
    if (functions < 0)
        return errno_is_gone(errno) ? 0 : error_set_errno(err, errno, FUNCTIONS_FOLDER);
    for (size_t i = 0; scan->config && i < scan->config->type_count; i++) {
        const struct mdev_type_config *type = &scan->config->types[i];
        for (size_t j = 0; type->vf.fixed && j < type->device_addresses.count; j++)
            if (pci_address_parse(type->device_addresses.items[j], NULL))
                read_card(scan, type, functions, type->device_addresses.items[j]);
    }
    return 0;
}

/* ---- one function ---- */

/* A function that went and has come back is the consumer's again. */
static int create_device(const struct device_place *place,
                         const struct device_spec *device,
                         char address[DEVICE_ADDRESS_SIZE], bool *existed,
                         struct error *err)
{
    function_address(device->parent, NULL, address);
    *existed = true;
    _cleanup_close_ int function = function_open(place, device, err);
    return function < 0 ? -1 : function_check_free(place, device, function, err);
}

/* It is only let go, when nobody has it. */
static int remove_device(const struct device_place *place,
                         const struct device_spec *device, struct error *err)
{
    struct error opening = {0};
    _cleanup_close_ int function = function_open(place, device, &opening);
    if (function >= 0)
        return function_check_unused(place, device, function, err);
    if (errno_is_gone(opening.errnum))
        return 0;
    if (err)
        *err = opening;
    return -1;
}

/* VFIO resets the function between two guests, and nothing else was set on it. */
static int clear_device(const struct device_place *place,
                        const struct device_spec *device, struct error *err)
{
    _cleanup_close_ int function = function_open(place, device, err);
    return function < 0 ? -1 : function_check_unused(place, device, function, err);
}

/* ---- pure functions ---- */

static char *guest_xml(const struct device *device, const struct device_type *type)
{
    (void)type;
    return function_xml(device, true);
}

/* A parent of this kind always offers its type. */
static char *nothing_known(const struct gpu *gpu)
{
    (void)gpu;
    return NULL;
}

static struct strlist written(const struct parent *parent)
{
    (void)parent;
    return (struct strlist){0};
}

const struct backend backend_fixed_vf = {
    .name = NAME,
    .noun = "virtual function",
    .offers = "fixed virtual functions",
    .unknown_to_nova = true,
    .permanent = true,
    .release = "the function stays, and can be given away again",
    .bound_by_libvirt = true,
    .scan = scan_functions,
    .address = function_address,
    .guest_xml = guest_xml,
    .qemu_device = function_qemu_device,
    .obstacle = nothing_known,
    .remedy = nothing_known,
    .written = written,
    .create = create_device,
    .remove = remove_device,
    .clear = clear_device,
};
