#include "agent/backend/mdev_scan.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <string.h>

#include "agent/host/sysfs.h"
#include "lib/text_copy.h"
#include "lib/xalloc.h"

#define PARENTS_FOLDER "class/mdev_bus"
#define DEVICES_FOLDER "bus/mdev/devices"

/* ---- types ---- */

static void copy_description(const struct device_type *from, struct device_type *type)
{
    type->description = xstrdup(from->description);
    type->device_api = xstrdup(from->device_api);
    type->attributes = from->attributes;
}

/* The type of that id and name, from a card of the same model and driver that was read
 * before. */
static const struct device_type *twin(const struct host *host, const struct gpu *gpu,
                                      const struct device_type *type)
{
    for (size_t i = 0; i < host->gpu_count && gpu->driver && type->name; i++) {
        const struct gpu *other = &host->gpus[i];
        if (other->vendor != gpu->vendor || other->device != gpu->device ||
            !other->driver || strcmp(other->driver, gpu->driver) != 0)
            continue;
        const struct device_type *same = gpu_type(other, type->id);
        if (same && same->name && strcmp(same->name, type->name) == 0)
            return same;
    }
    return NULL;
}

/* A name without a letter or digit is taken as absent, since no trait can be made of
 * it. */
static char *read_type_name(const struct scan *scan, struct gpu *gpu, int folder,
                            const char *id)
{
    char *name = card_read_text(scan, gpu, folder, id, "name");
    for (const char *p = name; p && *p; p++)
        if (isalnum((unsigned char)*p))
            return name;
    free(name);
    return NULL;
}

/* Reading takes most of a scan's time, and the result is the same on 64 cards or 256
 * VFs. So what does not depend on the single parent is read once. */
static void describe_type(const struct scan *scan, struct gpu *gpu, int types,
                          struct device_type *type)
{
    const struct device_type *same = gpu_type(gpu, type->id);
    /* Every type has a device_api. A type without it was removed during the read. */
    if (same && same->device_api) {
        type->name = xstrdup(same->name);
        copy_description(same, type);
        return;
    }
    _cleanup_close_ int folder = folder_open(types, type->id);
    if (folder < 0)
        return;
    type->name = read_type_name(scan, gpu, folder, type->id);
    same = twin(scan->host, gpu, type);
    if (same) {
        copy_description(same, type);
        return;
    }
    type->description = card_read_text(scan, gpu, folder, type->id, "description");
    type->device_api = card_read_text(scan, gpu, folder, type->id, "device_api");
    type->attributes = type_attributes_parse(type->description);
}

/* available_instances; -1 when the type was removed. */
static int read_available(const struct scan *scan, struct gpu *gpu, int types,
                          struct device_type *type)
{
    type->available = -1;
    if (!card_may_read(scan, gpu, "available_instances"))
        return 0;
    char path[NAME_MAX + 32];
    struct error err = {0};
    long number = -1;
    snprintf(path, sizeof path, "%s/available_instances", type->id);
    if (sysfs_number(types, path, &number, &err) == 0 &&
        (number < 0 || number > INT_MAX))
        (void)error_set(&err, ERROR_INVALID, "%s: %ld makes no sense", path, number);
    if (errno_is_gone(err.errnum) || err.errnum == ENOTDIR)
        return -1;
    if (err.code)
        card_set_unreadable(gpu, "mdev_supported_types/%s", err.text);
    else
        type->available = (int)number;
    return 0;
}

static void read_type(const struct scan *scan, struct gpu *gpu, struct parent *parent,
                      int types, const char *id)
{
    struct device_type type = {.id = xstrdup(id)};
    if (read_available(scan, gpu, types, &type) != 0) {
        free(type.id);
        return;
    }
    describe_type(scan, gpu, types, &type);
    *array_add(parent->types, parent->type_count) = type;
}

static void read_types(const struct scan *scan, struct gpu *gpu, struct parent *parent,
                       int folder)
{
    _cleanup_folder_ DIR *types = folder_open_list(folder, "mdev_supported_types");
    int errnum = types ? 0 : errno;
    const char *id;
    while (types && (id = folder_next(types, &errnum)))
        read_type(scan, gpu, parent, dirfd(types), id);
    if (errnum && !errno_is_gone(errnum))
        card_set_unreadable(gpu, "mdev_supported_types: %s", strerrordesc_np(errnum));
}

/* ---- devices ---- */

/* The kernel creates the link to the type last and removes it first: a device without
 * it is in transition. */
void mdev_scan_device(int folder, const char *name, struct device *mdev)
{
    _cleanup_close_ int device = folder_open(folder, name);
    if (device >= 0) {
        mdev->type_id = folder_link_name(device, "mdev_type");
        device_read_nodes(device, mdev);
    }
    mdev->in_transition = !mdev->type_id;
}

static const struct device *find_mdev(const struct parent *list, const char *uuid)
{
    for (size_t i = 0; i < list->device_count; i++)
        if (strcmp(list->devices[i].address, uuid) == 0)
            return &list->devices[i];
    return NULL;
}

/* A name may come twice in a list that changes while it is read. */
static void add_mdev(struct parent *list, int folder, const char *name,
                     const char *uuid)
{
    if (find_mdev(list, uuid))
        return;
    struct device *mdev = parent_add_device(list, uuid);
    memcpy(mdev->uuid, uuid, sizeof mdev->uuid);
    mdev_scan_device(folder, name, mdev);
}

/* Lists the devices in the parent's own folder. There they stay visible also while a
 * removal waits for the process that has the device open; bus/mdev/devices does not
 * show them then. */
static void list_mdevs(struct gpu *gpu, struct parent *list, int folder)
{
    _cleanup_folder_ DIR *entries = folder_open_list(folder, ".");
    int errnum = entries ? 0 : errno;
    const char *name;
    char uuid[UUID_TEXT_SIZE];
    while (entries && (name = folder_next(entries, &errnum)))
        if (uuid_parse_text(name, uuid))
            add_mdev(list, dirfd(entries), name, uuid);
    if (errnum && !errno_is_gone(errnum))
        card_set_unreadable(gpu, "%s: %s", list->name, strerrordesc_np(errnum));
}

/* Lists the devices before and after the types are read. Only a device that was there
 * and complete both times was also there when available_instances was read. All others
 * are in transition and do not count. */
static void read_devices_and_types(const struct scan *scan, struct gpu *gpu,
                                   struct parent *parent, int folder)
{
    struct parent before = {.name = parent->name};
    list_mdevs(gpu, &before, folder);
    read_types(scan, gpu, parent, folder);
    list_mdevs(gpu, parent, folder);
    for (size_t i = 0; i < parent->device_count; i++) {
        const struct device *earlier = find_mdev(&before, parent->devices[i].address);
        if (!earlier || earlier->in_transition)
            parent->devices[i].in_transition = true;
    }
    for (size_t i = 0; i < before.device_count; i++)
        device_clear(&before.devices[i]);
    free(before.devices);
}

/* ---- parents ---- */

/* The target "../../devices/x/y" of a link in class/mdev_bus becomes "devices/x/y",
 * relative to sysfs. */
static char *parent_path(int parents, const char *name)
{
    _cleanup_free_ char *target = folder_link(parents, name);
    if (target && strncmp(target, "../../devices/", 14) == 0)
        return xstrdup(target + 6);
    return xasprintf(PARENTS_FOLDER "/%s", name);
}

static void read_parent(const struct scan *scan, int parents, const char *name)
{
    struct host *host = scan->host;
    /* A name may come twice in a list that changes while it is read. */
    if (host_parent(host, name, NULL))
        return;
    _cleanup_close_ int folder = folder_open(parents, name);
    int errnum = folder < 0 ? errno : 0;
    if (errno_is_gone(errnum))
        return;
    struct gpu *gpu = card_of_function(scan, folder, name);
    struct parent *parent = gpu_add_parent(gpu, MDEV_NAME, name);
    parent->path = parent_path(parents, name);
    if (errnum) {
        card_set_unreadable(gpu, "%s: %s", parent->path, strerrordesc_np(errnum));
        return;
    }
    read_devices_and_types(scan, gpu, parent, folder);
}

/* ---- devices in the folder of no parent ---- */

/* A device that is listed here but was in no parent's folder was made after that folder
 * was read, or its parent is not, or not any more, listed. */
static void read_stray(const struct scan *scan, int devices, const char *name)
{
    (void)devices;
    struct host *host = scan->host;
    char uuid[UUID_TEXT_SIZE];
    if (!uuid_parse_text(name, uuid) || host_device(host, uuid, NULL, NULL))
        return;
    struct device *stray = array_add(host->strays, host->stray_count);
    text_copy_array(stray->backend, MDEV_NAME);
    text_copy_array(stray->address, uuid);
    uuid_text_copy(stray->uuid, uuid);
    stray->in_transition = true;
}

/* ---- the scan ---- */

int mdev_scan(const struct scan *scan, int root, struct error *err)
{
    if (card_scan_list(scan, root, PARENTS_FOLDER, read_parent, err) != 0)
        return -1;
    return card_scan_list(scan, root, DEVICES_FOLDER, read_stray, err);
}
