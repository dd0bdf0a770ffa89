#include "agent/backend/mdev.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "agent/backend/mdev_scan.h"
#include "agent/backend/vgpu_params.h"
#include "agent/host/device_use.h"
#include "agent/host/sysfs.h"
#include "lib/files.h"
#include "lib/text_copy.h"
#include "lib/xalloc.h"

/* A descriptor of the parent's folder, or -1. */
static int open_parent(const struct device_place *place,
                       const struct device_spec *device, struct error *err)
{
    _cleanup_close_ int root = folder_open(AT_FDCWD, place->sysfs_root);
    if (root < 0)
        return error_set_errno(err, errno, "%s", place->sysfs_root);
    _cleanup_close_ int parents = folder_open(root, "class/mdev_bus");
    int parent = parents < 0 ? -1 : folder_open(parents, device->parent);
    if (parent < 0)
        return error_set_errno(err, errno, "mdev parent %s", device->parent);
    return parent;
}

/* ---- create ---- */

/* The error for a uuid that exists already: it says where the kernel shows the device,
 * if it shows it at all. */
static int explain_existing(const struct device_place *place,
                            const struct device_spec *device, struct error *err)
{
    _cleanup_close_ int root = folder_open(AT_FDCWD, place->sysfs_root);
    _cleanup_close_ int devices = root < 0 ? -1 : folder_open(root, "bus/mdev/devices");
    _cleanup_free_ char *path = devices < 0 ? NULL : folder_link(devices, device->uuid);
    if (!path)
        return error_set(err, ERROR_BUSY,
                         "mdev %s: the kernel still holds this uuid but does not show "
                         "the device: it is being made or removed",
                         device->uuid);
    char *slash = strrchr(path, '/');
    if (slash)
        *slash = 0;
    slash = strrchr(path, '/');
    return error_set(err, ERROR_EXISTS, "mdev %s exists already, on %s", device->uuid,
                     slash ? slash + 1 : path);
}

/* The uuid exists already. That is a success if the device is as requested: an earlier
 * attempt, or somebody else, may have made it. */
static int settle_existing(const struct device_place *place,
                           const struct device_spec *device, int parent,
                           struct error *err)
{
    _cleanup_close_ int folder = folder_open(parent, device->uuid);
    if (folder < 0)
        return explain_existing(place, device, err);
    _cleanup_free_ char *type = folder_link_name(folder, "mdev_type");
    if (!type)
        return error_set(err, ERROR_BUSY, "mdev %s on %s is being made or removed",
                         device->uuid, device->parent);
    if (strcmp(type, device->type_id) != 0)
        return error_set(err, ERROR_EXISTS,
                         "mdev %s exists already on %s, but is a %s instead of a %s",
                         device->uuid, device->parent, type, device->type_id);
    return 0;
}

static int explain_create(const struct device_spec *device, int errnum,
                          struct error *err)
{
    if (errnum == EUSERS || errnum == ENOSPC)
        return error_set(err, ERROR_EXHAUSTED, "no instance of %s is left on %s",
                         device->type_id, device->parent);
    if (errnum == EACCES || errnum == EPERM) {
        _cleanup_free_ char *what =
            xasprintf("make a %s on %s", device->type_id, device->parent);
        return error_not_writable(what, "create", err);
    }
    if (errno_is_gone(errnum))
        return error_set(err, ERROR_NOT_FOUND, "%s does not offer %s (any more)",
                         device->parent, device->type_id);
    (void)error_set_errno(err, errnum, "making a %s on %s", device->type_id,
                          device->parent);
    /* ETIMEDOUT is the driver's report of a failure. ERROR_TIMEOUT would mean that the
     * operation may still succeed. */
    if (err && errnum == ETIMEDOUT)
        err->code = ERROR_IO;
    return -1;
}

/* Right before a write that nobody must notice. `defined`: a domain that does not run may
 * name it. */
static int check_use(const struct device_place *place, const struct device_spec *device,
                     int parent, bool defined, struct error *err)
{
    struct device mdev = {0};
    text_copy_array(mdev.address, device->uuid);
    mdev_scan_device(parent, device->uuid, &mdev);
    int rc = mdev.in_transition
                 ? error_set(err, ERROR_BUSY, "it is being made or removed")
             : defined ? device_check_no_guest(&place->use, &mdev, err)
                       : device_check_unused(&place->use, &mdev, err);
    device_clear(&mdev);
    return rc == 0 ? 0
                   : error_prefix(err, "mdev %s on %s", device->uuid, device->parent);
}

static int check_idle(const struct device_place *place,
                      const struct device_spec *device, int parent, struct error *err)
{
    return check_use(place, device, parent, false, err);
}

/* Writes the parameters. A device that was just made is removed again if that fails,
 * unless somebody has it: a domain may have named it before it was made, and been started
 * since. */
static int equip(const struct device_place *place, const struct device_spec *device,
                 int parent, bool made, struct error *err)
{
    if (!device->parameters)
        return 0;
    _cleanup_free_ char *name = xasprintf("mdev %s", device->uuid);
    _cleanup_close_ int folder = folder_open(parent, device->uuid);
    if (folder < 0)
        return error_set_errno(err, errno, "%s on %s", name, device->parent);
    struct error why = {0};
    if (vgpu_params_write(place, folder, name, device->parameters, made, &why) == 0)
        return 0;
    if (err)
        *err = why;
    struct error removal = {0};
    /* The next agent may have given it to a consumer by now. */
    if (made && device_place_check_agent(place, &removal) != 0)
        return -1;
    if (made && check_idle(place, device, parent, &removal) == 0 &&
        attribute_store_at(folder, "remove", "1", &removal) != 0)
        return error_prefix(err, "it could not be removed again (%s)", removal.text);
    return -1;
}

static int create_device(const struct device_place *place,
                         const struct device_spec *device,
                         char address[DEVICE_ADDRESS_SIZE], bool *existed,
                         struct error *err)
{
    text_copy(address, DEVICE_ADDRESS_SIZE, device->uuid);
    _cleanup_close_ int parent = open_parent(place, device, err);
    if (parent < 0)
        return -1;
    _cleanup_close_ int types = folder_open(parent, "mdev_supported_types");
    _cleanup_close_ int type = types < 0 ? -1 : folder_open(types, device->type_id);
    struct error store = {0};
    if (type < 0)
        return explain_create(device, errno, err);
    *existed = false;
    if (attribute_store_at(type, "create", device->uuid, &store) == 0)
        return equip(place, device, parent, true, err);
    if (store.errnum != EEXIST)
        return explain_create(device, store.errnum, err);
    *existed = true;
    return settle_existing(place, device, parent, err) == 0
               ? equip(place, device, parent, false, err)
               : -1;
}

/* ---- remove ---- */

static int explain_remove(const struct device_spec *device, int parent, int errnum,
                          struct error *err)
{
    /* Only a device that is not visible any more is gone. The kernel gives the same
     * errno while somebody else removes the device or its parent. */
    if (errno_is_gone(errnum) && faccessat(parent, device->uuid, F_OK, 0) != 0)
        return 0;
    if (errno_is_gone(errnum))
        return error_set(err, ERROR_BUSY,
                         "mdev %s on %s is being removed by somebody else",
                         device->uuid, device->parent);
    if (errnum == EACCES || errnum == EPERM) {
        _cleanup_free_ char *what = xasprintf("remove mdev %s", device->uuid);
        return error_not_writable(what, "remove", err);
    }
    return error_set_errno(err, errnum, "removing mdev %s from %s", device->uuid,
                           device->parent);
}

static int remove_device(const struct device_place *place,
                         const struct device_spec *device, struct error *err)
{
    struct error opening = {0};
    _cleanup_close_ int parent = open_parent(place, device, &opening);
    if (parent < 0 && errno_is_gone(opening.errnum))
        return 0;
    if (parent < 0) {
        if (err)
            *err = opening;
        return -1;
    }
    _cleanup_close_ int folder = folder_open(parent, device->uuid);
    if (folder < 0)
        return explain_remove(device, parent, errno, err);
    if (check_idle(place, device, parent, err) != 0)
        return -1;
    struct error store = {0};
    if (attribute_store_at(folder, "remove", "1", &store) == 0)
        return 0;
    return explain_remove(device, parent, store.errnum, err);
}

/* ---- clear ---- */

static int write_parameters(const struct device_place *place,
                            const struct device_spec *device, int parent, int folder,
                            struct error *err)
{
    _cleanup_free_ char *name = xasprintf("mdev %s", device->uuid);
    bool absent;
    if (vgpu_params_clear(place, folder, name, &absent, err) != 0)
        return -1;
    if (absent && faccessat(parent, device->uuid, F_OK, 0) != 0)
        return error_set(err, ERROR_NOT_FOUND, "mdev %s is gone", device->uuid);
    return device->parameters
               ? vgpu_params_write(place, folder, name, device->parameters, false, err)
               : 0;
}

static int change_parameters(const struct device_place *place,
                             const struct device_spec *device, bool defined,
                             struct error *err)
{
    _cleanup_close_ int parent = open_parent(place, device, err);
    if (parent < 0)
        return -1;
    _cleanup_close_ int folder = folder_open(parent, device->uuid);
    if (folder < 0)
        return error_set_errno(err, errno, "mdev %s on %s", device->uuid,
                               device->parent);
    if (check_use(place, device, parent, defined, err) != 0)
        return -1;
    return write_parameters(place, device, parent, folder, err);
}

static int clear_device(const struct device_place *place,
                        const struct device_spec *device, struct error *err)
{
    return change_parameters(place, device, false, err);
}

static int set_parameters(const struct device_place *place,
                          const struct device_spec *device, struct error *err)
{
    return change_parameters(place, device, true, err);
}

/* ---- a guest's configuration ---- */

static const char *api_of(const struct device_type *type)
{
    return type && type->device_api ? type->device_api : "vfio-pci";
}

/* https://libvirt.org/formatdomain.html: the model is the device's API; display and
 * ramfb are attributes of vfio-pci alone. managed='no' is what libvirt itself shows. The
 * uuid and the model need no escapes. */
static char *element(const struct device *device, const struct device_type *type,
                     const char *display)
{
    return xasprintf(
        "<hostdev mode='subsystem' type='mdev' managed='no' model='%s'%s>\n"
        "  <source>\n"
        "    <address uuid='%s'/>\n"
        "  </source>\n"
        "</hostdev>",
        api_of(type), display, device->address);
}

static bool is_pci(const struct device_type *type)
{
    return strcmp(api_of(type), "vfio-pci") == 0;
}

static char *guest_xml(const struct device *device, const struct device_type *type)
{
    return element(device, type, is_pci(type) ? " display='off'" : "");
}

static char *guest_xml_display(const struct device *device,
                               const struct device_type *type, bool display, bool ramfb)
{
    if (!is_pci(type))
        return NULL;
    return element(device, type,
                   ramfb     ? " display='on' ramfb='on'"
                   : display ? " display='on'"
                             : " display='off'");
}

static char *qemu_device(const struct device *device, const struct device_type *type)
{
    return xasprintf("%s,sysfsdev=/sys/bus/mdev/devices/%s", api_of(type),
                     device->address);
}

/* ---- addresses ---- */

/* The agent chooses the uuid, which is the only name of an mdev. */
static void address_of(const char *parent, const char *uuid,
                       char out[DEVICE_ADDRESS_SIZE])
{
    (void)parent;
    text_copy(out, DEVICE_ADDRESS_SIZE, uuid);
}

static bool is_address(const struct host *host, const char *address)
{
    char uuid[UUID_TEXT_SIZE];
    (void)host;
    return uuid_parse_text(address, uuid);
}

/* ---- cards that offer nothing ---- */

static bool lacks_functions(const struct gpu *gpu)
{
    return gpu->vf_total && !gpu->vf_enabled;
}

static char *obstacle_of(const struct gpu *gpu)
{
    if (gpu->parent_count)
        return xstrdup("its driver has not named any types (yet)");
    if (lacks_functions(gpu))
        return xasprintf("none of its %u virtual functions is enabled", gpu->vf_total);
    return xasprintf("its driver %s offers no mediated devices", gpu->driver);
}

static char *remedy_of(const struct gpu *gpu)
{
    if (gpu->parent_count)
        return xstrdup("do the vendor's services run?");
    if (lacks_functions(gpu))
        return xasprintf("`sriov-manage -e %s` enables NVIDIA's", gpu->name);
    return xstrdup("the vendor's driver for hosts of virtual GPUs makes them");
}

static struct strlist written(const struct parent *parent)
{
    struct strlist files = {0};
    for (size_t i = 0; i < parent->type_count; i++)
        strlist_add_take(&files, xasprintf("%s/mdev_supported_types/%s/create",
                                           parent->path, parent->types[i].id));
    return files;
}

static char *guest_name(int root, const struct device *device)
{
    _cleanup_free_ char *path =
        xasprintf("bus/mdev/devices/%s/nvidia/vm_name", device->address);
    _cleanup_free_ char *name = NULL;
    if (attribute_read_at(root, path, &name, NULL) != 0 || !*name)
        return NULL;
    return sysfs_printable(steal(name));
}

static int parameters(int root, const struct device *device, char **out,
                      struct error *err)
{
    _cleanup_free_ char *path = xasprintf("bus/mdev/devices/%s", device->address);
    _cleanup_free_ char *name = xasprintf("mdev %s", device->address);
    _cleanup_close_ int folder = folder_open(root, path);
    if (folder < 0)
        return error_set_errno(err, errno, "%s", name);
    return vgpu_params_read(folder, name, out, err);
}

const struct backend backend_mdev = {
    .name = MDEV_NAME,
    .noun = "mdev",
    .offers = "mediated devices",
    .scan = mdev_scan,
    .address = address_of,
    .is_address = is_address,
    .guest_xml = guest_xml,
    .guest_xml_display = guest_xml_display,
    .qemu_device = qemu_device,
    .obstacle = obstacle_of,
    .remedy = remedy_of,
    .written = written,
    .guest_name = guest_name,
    .parameters = parameters,
    .create = create_device,
    .remove = remove_device,
    .clear = clear_device,
    .set_parameters = set_parameters,
};
