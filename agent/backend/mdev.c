#include "agent/backend/mdev.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "agent/backend/mdev_scan.h"
#include "agent/host/device_use.h"
#include "agent/host/sysfs.h"
#include "lib/files.h"

/* The parent's folder, or -1. */
static int open_parent(const struct device_place *place,
                       const struct device_spec *device, struct error *err)
{
    _cleanup_close_ int root = sysfs_open_folder(AT_FDCWD, place->sysfs_root);
    if (root < 0)
        return error_set_errno(err, errno, "%s", place->sysfs_root);
    _cleanup_close_ int parents = sysfs_open_folder(root, "class/mdev_bus");
    int parent = parents < 0 ? -1 : sysfs_open_folder(parents, device->parent);
    if (parent < 0)
        return error_set_errno(err, errno, "mdev parent %s", device->parent);
    return parent;
}

/* ---- create ---- */

/* Where the device that has our uuid is, if the kernel shows one at all. */
static int explain_existing(const struct device_place *place,
                            const struct device_spec *device, struct error *err)
{
    _cleanup_close_ int root = sysfs_open_folder(AT_FDCWD, place->sysfs_root);
    _cleanup_close_ int devices =
        root < 0 ? -1 : sysfs_open_folder(root, "bus/mdev/devices");
    _cleanup_free_ char *path = devices < 0 ? NULL : sysfs_link(devices, device->uuid);
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

/* The uuid is taken: it may be what was asked for, made by an earlier try or by
 * somebody else. */
static int settle_existing(const struct device_place *place,
                           const struct device_spec *device, int parent,
                           struct error *err)
{
    _cleanup_close_ int folder = sysfs_open_folder(parent, device->uuid);
    if (folder < 0)
        return explain_existing(place, device, err);
    _cleanup_free_ char *type = sysfs_link_name(folder, "mdev_type");
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
    if (errnum == EACCES || errnum == EPERM)
        return error_set(err, ERROR_FORBIDDEN,
                         "no permission to make a %s on %s: its \"create\" must be "
                         "writable for this user",
                         device->type_id, device->parent);
    if (sysfs_gone(errnum))
        return error_set(err, ERROR_NOT_FOUND, "%s does not offer %s (any more)",
                         device->parent, device->type_id);
    (void)error_set_errno(err, errnum, "making a %s on %s", device->type_id,
                          device->parent);
    /* The driver says that it failed; TIMEOUT would say that it may still happen. */
    if (err && errnum == ETIMEDOUT)
        err->code = ERROR_IO;
    return -1;
}

static int create_device(const struct device_place *place,
                         const struct device_spec *device, bool *existed,
                         struct error *err)
{
    _cleanup_close_ int parent = open_parent(place, device, err);
    if (parent < 0)
        return -1;
    _cleanup_close_ int types = sysfs_open_folder(parent, "mdev_supported_types");
    _cleanup_close_ int type =
        types < 0 ? -1 : sysfs_open_folder(types, device->type_id);
    struct error store = {0};
    if (type < 0)
        return explain_create(device, errno, err);
    *existed = false;
    if (attribute_store_at(type, "create", device->uuid, &store) == 0)
        return 0;
    if (store.errnum != EEXIST)
        return explain_create(device, store.errnum, err);
    *existed = true;
    return settle_existing(place, device, parent, err);
}

/* ---- remove ---- */

static int explain_remove(const struct device_spec *device, int parent, int errnum,
                          struct error *err)
{
    /* Only what is seen no more is gone: the kernel also answers so when somebody else
     * is removing it, or its parent. */
    if (sysfs_gone(errnum) && faccessat(parent, device->uuid, F_OK, 0) != 0)
        return 0;
    if (sysfs_gone(errnum))
        return error_set(err, ERROR_BUSY,
                         "mdev %s on %s is being removed by somebody else",
                         device->uuid, device->parent);
    if (errnum == EACCES || errnum == EPERM)
        return error_set(err, ERROR_FORBIDDEN,
                         "no permission to remove mdev %s: its \"remove\" must be "
                         "writable for this user",
                         device->uuid);
    return error_set_errno(err, errnum, "removing mdev %s from %s", device->uuid,
                           device->parent);
}

static int remove_device(const struct device_place *place,
                         const struct device_spec *device, struct error *err)
{
    struct error opening = {0};
    _cleanup_close_ int parent = open_parent(place, device, &opening);
    if (parent < 0 && sysfs_gone(opening.errnum))
        return 0;
    if (parent < 0) {
        if (err)
            *err = opening;
        return -1;
    }
    _cleanup_close_ int folder = sysfs_open_folder(parent, device->uuid);
    if (folder < 0)
        return explain_remove(device, parent, errno, err);
    struct mdev mdev = {0};
    memcpy(mdev.uuid, device->uuid, sizeof mdev.uuid);
    mdev_scan_device(parent, device->uuid, &mdev);
    int rc = mdev.in_transition
                 ? error_set(err, ERROR_BUSY, "it is being made or removed")
                 : device_check_unused(&place->use, &mdev, err);
    mdev_clear(&mdev);
    if (rc != 0)
        return error_prefix(err, "mdev %s on %s", device->uuid, device->parent);
    struct error store = {0};
    if (attribute_store_at(folder, "remove", "1", &store) == 0)
        return 0;
    return explain_remove(device, parent, store.errnum, err);
}

const struct backend backend_mdev = {
    .name = "mdev",
    .scan = mdev_scan,
    .create = create_device,
    .remove = remove_device,
};
