#include "agent/backend/virtual_function.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "agent/host/device_use.h"
#include "agent/host/domain_xml.h"
#include "agent/host/sysfs.h"
#include "lib/files.h"
#include "lib/text_copy.h"
#include "lib/xalloc.h"

/* The target "../../../devices/x/y" of a link in bus/pci/devices becomes "devices/x/y",
 * relative to sysfs. */
char *function_path(int functions, const char *name)
{
    _cleanup_free_ char *target = folder_link(functions, name);
    if (target && strncmp(target, "../../../devices/", 17) == 0)
        return xstrdup(target + 9);
    return xasprintf(FUNCTIONS_FOLDER "/%s", name);
}

int function_open(const struct device_place *place, const struct device_spec *device,
                  struct error *err)
{
    _cleanup_close_ int root = folder_open(AT_FDCWD, place->sysfs_root);
    if (root < 0)
        return error_set_errno(err, errno, "%s", place->sysfs_root);
    _cleanup_close_ int functions = folder_open(root, FUNCTIONS_FOLDER);
    int function = functions < 0 ? -1 : folder_open(functions, device->parent);
    if (function < 0)
        return error_set_errno(err, errno, "virtual function %s", device->parent);
    return function;
}

/* ---- who uses it ---- */

static struct device seen_device(int function, const struct device_spec *device)
{
    struct device seen = {0};
    text_copy_array(seen.address, device->parent);
    device_read_nodes(function, &seen);
    return seen;
}

int function_check_unused(const struct device_place *place,
                          const struct device_spec *device, int function,
                          struct error *err)
{
    struct device seen = seen_device(function, device);
    int rc = device_check_unused(&place->use, &seen, err);
    device_clear(&seen);
    return rc == 0 ? 0 : error_prefix(err, "virtual function %s", device->parent);
}

int function_check_free(const struct device_place *place,
                        const struct device_spec *device, int function,
                        struct error *err)
{
    struct device seen = seen_device(function, device);
    int rc = device_check_unused_by_others(&place->use, &seen, device->consumer, err);
    device_clear(&seen);
    return rc == 0 ? 0 : error_prefix(err, "virtual function %s", device->parent);
}

int function_check_no_guest(const struct device_place *place,
                            const struct device_spec *device, int function,
                            struct error *err)
{
    struct device seen = seen_device(function, device);
    int rc = device_check_no_guest(&place->use, &seen, err);
    device_clear(&seen);
    return rc == 0 ? 0 : error_prefix(err, "virtual function %s", device->parent);
}

bool function_is_consumers(const struct device_place *place,
                           const struct device_spec *device, int function)
{
    struct error used = {0};
    return function_check_unused(place, device, function, &used) != 0 &&
           function_check_free(place, device, function, &used) == 0;
}

/* ---- members of struct backend ---- */

void function_address(const char *parent, const char *uuid,
                      char out[DEVICE_ADDRESS_SIZE])
{
    (void)uuid;
    text_copy(out, DEVICE_ADDRESS_SIZE, parent);
}

char *function_xml(const struct device *device, bool managed)
{
    _cleanup_free_ char *address = domain_xml_pci_address(device->address);
    return xasprintf("<hostdev mode='subsystem' type='pci' managed='%s'>\n"
                     "  <source>\n"
                     "    %s\n"
                     "  </source>\n"
                     "</hostdev>",
                     managed ? "yes" : "no", address);
}

char *function_qemu_device(const struct device *device, const struct device_type *type)
{
    (void)type;
    return xasprintf("vfio-pci,host=%s", device->address);
}
