#include "agent/backend/nvidia_vfio.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "agent/backend/nvidia_vfio_files.h"
#include "agent/backend/nvidia_vfio_scan.h"
#include "agent/backend/vgpu_params.h"
#include "agent/backend/virtual_function.h"
#include "agent/host/sysfs.h"
#include "lib/files.h"
#include "lib/pci_address.h"
#include "lib/text_copy.h"
#include "lib/xalloc.h"

/* How often a type is ended again that the driver does not let go of yet, a second
 * apart: for a moment after a guest's end it says EBUSY. */
#define ENDINGS 10

/* ---- the virtual function ---- */

static int check_card(int function, const struct device_spec *device, struct error *err)
{
    _cleanup_close_ int card = folder_open(function, "physfn");
    if (card < 0)
        return error_set_errno(err, errno, "the card of %s", device->parent);
    return vgpu_check_sriov_mode(card, err) == 0
               ? 0
               : error_prefix(err, "%s", device->parent);
}

/* The number of the type that was asked for; NULL: it is no type of this kind. */
static const char *number_of(const char *type_id)
{
    size_t prefix = strlen(NVIDIA_VFIO_TYPE_PREFIX);
    return type_id && strncmp(type_id, NVIDIA_VFIO_TYPE_PREFIX, prefix) == 0
               ? type_id + prefix
               : NULL;
}

/* ---- create ---- */

/* The function has a type already. It is what was asked for only where the domain of
 * the device's consumer names it: it was the consumer's before, and somebody was faster
 * at putting it back. Without a domain nobody knows for whom it was made. */
static int settle_existing(const struct device_place *place,
                           const struct device_spec *device, int function,
                           const char *number, struct error *err)
{
    if (strcmp(number, number_of(device->type_id)) == 0 &&
        function_is_consumers(place, device, function))
        return 0;
    return error_set(err, ERROR_EXISTS,
                     "%s has the type " NVIDIA_VFIO_TYPE_PREFIX
                     "%s already, and somebody else gave it",
                     device->parent, number);
}

/* EINVAL tells of a type of the function itself, or of the rest of the card. */
static int explain_refused(const struct device_spec *device, int function,
                           const struct error *refused, struct error *err)
{
    char number[VGPU_NUMBER_SIZE];
    if (refused->code == ERROR_EXISTS &&
        vgpu_read_current(function, number, NULL) == 0 &&
        strcmp(number, VGPU_NO_TYPE) == 0)
        return error_set(err, ERROR_EXHAUSTED,
                         "no instance of %s is left for %s: its card has another type",
                         device->type_id, device->parent);
    if (err)
        *err = *refused;
    return -1;
}

/* Reads back what was written: the driver is the judge of what there is. */
static int make(const struct device_spec *device, int function, const char *number,
                struct error *err)
{
    char current[VGPU_NUMBER_SIZE];
    struct error refused = {0};
    if (vgpu_write_current(function, device->parent, number, &refused) != 0)
        return explain_refused(device, function, &refused, err);
    if (vgpu_read_current(function, current, err) != 0)
        return error_prefix(err, "virtual function %s", device->parent);
    if (strcmp(current, number) != 0)
        return error_set(err, ERROR_IO,
                         "the driver took the type %s for %s, which has %s now",
                         device->type_id, device->parent, current);
    return 0;
}

/* Writes the parameters. A type that was just given is ended again if that fails, unless
 * somebody has the function by now. */
static int equip(const struct device_place *place, const struct device_spec *device,
                 int function, bool made, struct error *err)
{
    struct error why = {0};
    if (!device->parameters || vgpu_params_write(place, function, device->parent,
                                                 device->parameters, made, &why) == 0)
        return 0;
    if (err)
        *err = why;
    struct error ending = {0};
    /* The next agent may have given it to another consumer by now. */
    if (made && device_place_check_agent(place, &ending) != 0)
        return -1;
    if (made && function_check_unused(place, device, function, &ending) == 0 &&
        vgpu_write_current(function, device->parent, VGPU_NO_TYPE, &ending) != 0)
        return error_prefix(err, "its type could not be ended again (%s)", ending.text);
    return -1;
}

static int create_device(const struct device_place *place,
                         const struct device_spec *device,
                         char address[DEVICE_ADDRESS_SIZE], bool *existed,
                         struct error *err)
{
    text_copy(address, DEVICE_ADDRESS_SIZE, device->parent);
    *existed = false;
    const char *number = number_of(device->type_id);
    if (!number)
        return error_set(err, ERROR_NOT_FOUND, "%s does not offer %s", device->parent,
                         device->type_id);
    _cleanup_close_ int function = function_open(place, device, err);
    char current[VGPU_NUMBER_SIZE];
    if (function < 0 || check_card(function, device, err) != 0)
        return -1;
    if (vgpu_read_current(function, current, err) != 0)
        return error_prefix(err, "virtual function %s", device->parent);
    if (strcmp(current, VGPU_NO_TYPE) != 0) {
        *existed = true;
        return settle_existing(place, device, function, current, err) == 0
                   ? equip(place, device, function, false, err)
                   : -1;
    }
    if (function_check_free(place, device, function, err) != 0 ||
        device_place_check_agent(place, err) != 0 ||
        make(device, function, number, err) != 0)
        return -1;
    return equip(place, device, function, true, err);
}

/* ---- remove ---- */

/* Whether the function still has what is to be removed. An entry of which no type is
 * known tells nothing apart. */
static int has_device(const struct device_spec *device, int function, bool *out,
                      struct error *err)
{
    char current[VGPU_NUMBER_SIZE];
    struct error gone = {0};
    const char *number = number_of(device->type_id);
    *out = false;
    if (vgpu_read_current(function, current, &gone) != 0) {
        if (errno_is_gone(gone.errnum))
            return 0;
        if (err)
            *err = gone;
        return error_prefix(err, "virtual function %s", device->parent);
    }
    *out = strcmp(current, VGPU_NO_TYPE) != 0 && number && strcmp(current, number) == 0;
    return 0;
}

/* One attempt. All is looked at anew right before the write: the function may be the
 * next owner's by now. */
static int end_type(const struct device_place *place, const struct device_spec *device,
                    int function, bool *refused, struct error *err)
{
    bool there;
    *refused = false;
    if (has_device(device, function, &there, err) != 0)
        return -1;
    if (!there)
        return 0;
    if (check_card(function, device, err) != 0 ||
        function_check_unused(place, device, function, err) != 0 ||
        device_place_check_agent(place, err) != 0)
        return -1;
    struct error store = {0};
    if (vgpu_write_current(function, device->parent, VGPU_NO_TYPE, &store) == 0 ||
        store.code == ERROR_NOT_FOUND)
        return 0;
    *refused = store.code == ERROR_BUSY;
    if (err)
        *err = store;
    return -1;
}

static void wait_a_second(void)
{
    (void)clock_nanosleep(CLOCK_MONOTONIC, 0, &(struct timespec){.tv_sec = 1}, NULL);
}

/* Ends with the agent that asked: the next agent may give the function to another
 * consumer. */
static int remove_device(const struct device_place *place,
                         const struct device_spec *device, struct error *err)
{
    struct error opening = {0};
    _cleanup_close_ int function = function_open(place, device, &opening);
    if (function < 0 && errno_is_gone(opening.errnum))
        return 0;
    if (function < 0) {
        if (err)
            *err = opening;
        return -1;
    }
    for (unsigned i = 1;; i++) {
        bool refused;
        int rc = end_type(place, device, function, &refused, err);
        if (!refused || i == ENDINGS)
            return rc;
        wait_a_second();
    }
}

/* ---- clear ---- */

/* A guest's plugin parameters, as of an mdev. They end with the type; a device that is
 * handed over keeps its type. */
static int write_parameters(const struct device_place *place,
                            const struct device_spec *device, int function,
                            struct error *err)
{
    bool absent;
    if (vgpu_params_clear(place, function, device->parent, &absent, err) != 0)
        return -1;
    if (absent && !vgpu_function_takes_types(function))
        return error_set(err, ERROR_NOT_FOUND, "%s is gone", device->parent);
    return device->parameters ? vgpu_params_write(place, function, device->parent,
                                                  device->parameters, false, err)
                              : 0;
}

/* The function may have been given another type, for somebody else, meanwhile.
 * `check_free` says who may not have it open. */
static int write_to_function(const struct device_place *place,
                             const struct device_spec *device,
                             int (*check_free)(const struct device_place *place,
                                               const struct device_spec *device,
                                               int function, struct error *err),
                             struct error *err)
{
    bool there;
    _cleanup_close_ int function = function_open(place, device, err);
    if (function < 0 || check_card(function, device, err) != 0 ||
        check_free(place, device, function, err) != 0 ||
        has_device(device, function, &there, err) != 0)
        return -1;
    if (!there)
        return error_set(err, ERROR_NOT_FOUND, "%s has no %s any more", device->parent,
                         device->type_id);
    return write_parameters(place, device, function, err);
}

static int clear_device(const struct device_place *place,
                        const struct device_spec *device, struct error *err)
{
    return write_to_function(place, device, function_check_unused, err);
}

static int set_parameters(const struct device_place *place,
                          const struct device_spec *device, struct error *err)
{
    return write_to_function(place, device, function_check_no_guest, err);
}

/* ---- a guest's configuration ---- */

/* managed='no': the function stays with its driver, which serves VFIO itself; vfio-pci
 * could not even be bound. */
static char *guest_xml(const struct device *device, const struct device_type *type)
{
    (void)type;
    return function_xml(device, false);
}

/* ---- cards that offer nothing ---- */

static bool is_known(const struct gpu *gpu)
{
    return gpu->parent_count ||
           (gpu->vf_enabled && gpu->driver && strcmp(gpu->driver, "nvidia") == 0);
}

static char *obstacle_of(const struct gpu *gpu)
{
    if (!is_known(gpu))
        return NULL;
    if (gpu->parent_count && gpu->partitions > 0)
        return xasprintf(
            "its virtual functions list no types (yet), or none is for the "
            "shape of its %d GPU instances",
            gpu->partitions);
    if (gpu->parent_count)
        return xstrdup("its virtual functions list no types (yet)");
    return xasprintf("its driver %s offers neither mediated devices nor types of its "
                     "%u virtual functions (" VGPU_CURRENT ")",
                     gpu->driver, gpu->vf_enabled);
}

static char *remedy_of(const struct gpu *gpu)
{
    if (!is_known(gpu))
        return NULL;
    if (gpu->parent_count)
        return xstrdup("do the vendor's services run (nvidia-vgpu-mgr)?");
    return xstrdup("NVIDIA's vGPU manager for hosts makes them (the module "
                   "nvidia-vgpu-vfio)");
}

static struct strlist written(const struct parent *parent)
{
    struct strlist files = {0};
    strlist_add_take(&files, xasprintf("%s/" VGPU_CURRENT, parent->path));
    return files;
}

static int parameters(int root, const struct device *device, char **out,
                      struct error *err)
{
    _cleanup_free_ char *path = xasprintf("bus/pci/devices/%s", device->address);
    _cleanup_close_ int folder = folder_open(root, path);
    if (folder < 0)
        return error_set_errno(err, errno, "%s", device->address);
    return vgpu_params_read(folder, device->address, out, err);
}

const struct backend backend_nvidia_vfio = {
    .name = NVIDIA_VFIO_NAME,
    .noun = "virtual function",
    .offers = "types of virtual functions",
    .unknown_to_nova = true,
    .scan = nvidia_vfio_scan,
    .recall = nvidia_vfio_recall,
    .address = function_address,
    .guest_xml = guest_xml,
    .qemu_device = function_qemu_device,
    .obstacle = obstacle_of,
    .remedy = remedy_of,
    .written = written,
    .parameters = parameters,
    .create = create_device,
    .remove = remove_device,
    .clear = clear_device,
    .set_parameters = set_parameters,
};
