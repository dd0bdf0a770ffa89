#include "agent/backend/xe_vf.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "agent/backend/vgpu_params.h"
#include "agent/backend/virtual_function.h"
#include "agent/backend/xe_files.h"
#include "agent/backend/xe_vf_scan.h"
#include "agent/host/sysfs.h"
#include "lib/files.h"
#include "lib/text_copy.h"
#include "lib/xalloc.h"

#define FUNCTIONS_MAX 65535

/* ---- one function ---- */

/* The function of a device, while something is done to it. */
struct function {
    const struct device_place *place;
    const struct device_spec *device;
    int card;  /* the physical function's folder */
    int admin; /* its sriov_admin/vf<N> */
};

static void function_close(struct function *function)
{
    cleanup_close(&function->card);
    cleanup_close(&function->admin);
}

static int open_card(const struct device_place *place, const char *card)
{
    _cleanup_close_ int root = folder_open(AT_FDCWD, place->sysfs_root);
    _cleanup_close_ int cards = root < 0 ? -1 : folder_open(root, FUNCTIONS_FOLDER);
    return cards < 0 ? -1 : folder_open(cards, card);
}

/* 0; -1 with errno when the function or its card has gone. */
static int find_function(struct function *function)
{
    char name[PCI_ADDRESS_SIZE];
    function->admin = -1;
    function->card = open_card(function->place, function->device->gpu);
    for (unsigned number = 1; function->card >= 0 && number <= FUNCTIONS_MAX;
         number++) {
        function->admin = xe_open_admin(function->card, number);
        if (function->admin < 0 ||
            (xe_function_name(function->card, function->device->gpu, number, name) &&
             strcmp(name, function->device->parent) == 0))
            break;
        cleanup_close(&function->admin);
        function->admin = -1;
    }
    return function->admin < 0 ? -1 : 0;
}

static int set_gone(const struct device_spec *device, int errnum, struct error *err)
{
    return error_set_errno(err, errnum, "virtual function %s of %s", device->parent,
                           device->gpu);
}

static int read_profile(const struct function *function, struct xe_profile *out,
                        struct error *err)
{
    return xe_read_profile(function->admin, out, err) == 0
               ? 0
               : error_prefix(err, "virtual function %s", function->device->parent);
}

/* Nobody can have a function open that is not enabled; a domain may name it. */
static int open_folder(const struct function *function)
{
    struct error absent;
    return function_open(function->place, function->device, &absent);
}

static int check_unused(const struct function *function, struct error *err)
{
    _cleanup_close_ int folder = open_folder(function);
    return function_check_unused(function->place, function->device, folder, err);
}

static int check_free(const struct function *function, struct error *err)
{
    _cleanup_close_ int folder = open_folder(function);
    return function_check_free(function->place, function->device, folder, err);
}

static bool is_consumers(const struct function *function)
{
    _cleanup_close_ int folder = open_folder(function);
    return folder >= 0 &&
           function_is_consumers(function->place, function->device, folder);
}

/* ---- enabling ---- */

static int count_enabled(const struct function *function, long *out, struct error *err)
{
    return sysfs_number(function->card, "sriov_numvfs", out, err) == 0
               ? 0
               : error_prefix(err, "%s: whether its virtual functions are enabled",
                              function->device->gpu);
}

/* All that the card can have, since a further one could only be had by ending all. */
static int enable_functions(const struct function *function, struct error *err)
{
    long enabled, total;
    char text[24];
    struct error store = {0}, counting;
    if (count_enabled(function, &enabled, err) != 0)
        return -1;
    if (enabled > 0)
        return 0;
    if (sysfs_number(function->card, "sriov_totalvfs", &total, err) != 0)
        return error_prefix(err, "%s", function->device->gpu);
    snprintf(text, sizeof text, "%ld", total);
    if (device_place_check_agent(function->place, err) != 0)
        return -1;
    if (attribute_store_at(function->card, "sriov_numvfs", text, &store) == 0 ||
        (count_enabled(function, &enabled, &counting) == 0 && enabled > 0))
        return 0;
    if (store.errnum == EACCES || store.errnum == EPERM) {
        _cleanup_free_ char *what =
            xasprintf("enable the virtual functions of %s", function->device->gpu);
        return error_not_writable(what, "sriov_numvfs", err);
    }
    return error_set_errno(err, store.errnum, "enabling the %s virtual functions of %s",
                           text, function->device->gpu);
}

/* ---- create ---- */

/* The function has a share already. Before the functions are enabled it is one that was
 * prepared. Afterwards it is what was asked for only where the domain of the device's
 * consumer names it, as with every address that is used again. */
static int settle_existing(const struct function *function,
                           const struct xe_profile *wanted,
                           const struct xe_profile *found, bool *existed,
                           struct error *err)
{
    const struct device_spec *device = function->device;
    bool as_wanted = xe_profile_matches(wanted, found);
    long enabled;
    if (count_enabled(function, &enabled, err) != 0)
        return -1;
    if (as_wanted && enabled == 0)
        return check_free(function, err);
    *existed = true;
    if (as_wanted && is_consumers(function))
        return 0;
    _cleanup_free_ char *has = xe_profile_name(found);
    return error_set(err, ERROR_EXISTS, "%s has %s already, and somebody else gave it",
                     device->parent, has);
}

static int give(const struct function *function, const struct xe_profile *wanted,
                struct error *err)
{
    return check_free(function, err) == 0
               ? xe_write_profile(function->place, function->admin,
                                  function->device->parent, wanted, err)
               : -1;
}

static int make(const struct function *function, const struct xe_profile *wanted,
                bool *existed, struct error *err)
{
    struct xe_profile found;
    struct error undoing;
    if (read_profile(function, &found, err) != 0)
        return -1;
    if (found.vram_mib) {
        if (settle_existing(function, wanted, &found, existed, err) != 0)
            return -1;
    } else if (give(function, wanted, err) != 0) {
        return -1;
    }
    if (*existed || enable_functions(function, err) == 0)
        return 0;
    (void)xe_clear_profile(function->place, function->admin, function->device->parent,
                           &undoing);
    return -1;
}

static int create_device(const struct device_place *place,
                         const struct device_spec *device,
                         char address[DEVICE_ADDRESS_SIZE], bool *existed,
                         struct error *err)
{
    struct function function = {.place = place, .device = device};
    struct xe_profile wanted;
    function_address(device->parent, NULL, address);
    *existed = false;
    if (!xe_profile_parse(device->type_name, &wanted))
        return error_set(err, ERROR_NOT_FOUND, "%s does not offer %s", device->parent,
                         device->type_id);
    int rc = find_function(&function) == 0 ? make(&function, &wanted, existed, err)
                                           : set_gone(device, errno, err);
    function_close(&function);
    return rc;
}

/* ---- remove, clear ---- */

/* Whether the function still has what the entry says, and what exactly. */
static int has_device(const struct function *function, struct xe_profile *found,
                      bool *out, struct error *err)
{
    struct xe_profile entrys;
    struct error gone = {0};
    *out = false;
    if (read_profile(function, found, &gone) != 0) {
        if (errno_is_gone(gone.errnum))
            return 0;
        if (err)
            *err = gone;
        return -1;
    }
    *out = xe_profile_parse(function->device->type_name, &entrys) &&
           xe_profile_matches(&entrys, found);
    return 0;
}

static int remove_device(const struct device_place *place,
                         const struct device_spec *device, struct error *err)
{
    struct function function = {.place = place, .device = device};
    struct xe_profile found;
    bool there = false;
    int rc = 0;
    if (find_function(&function) == 0)
        rc = has_device(&function, &found, &there, err);
    else if (!errno_is_gone(errno))
        rc = set_gone(device, errno, err);
    if (rc == 0 && there)
        rc = check_unused(&function, err) == 0
                 ? xe_clear_profile(place, function.admin, device->parent, err)
                 : -1;
    function_close(&function);
    return rc;
}

/* Nothing but the type's values is ever set on a function. Its memory is given anew, so
 * that nothing of the former guest's is left in it. */
static int clear_function(const struct function *function, struct error *err)
{
    const char *name = function->device->parent;
    struct xe_profile found;
    bool there;
    if (check_unused(function, err) != 0 ||
        has_device(function, &found, &there, err) != 0)
        return -1;
    if (!there)
        return error_set(err, ERROR_NOT_FOUND, "%s has no %s any more", name,
                         function->device->type_id);
    return xe_clear_profile(function->place, function->admin, name, err) == 0
               ? xe_write_profile(function->place, function->admin, name, &found, err)
               : -1;
}

static int clear_device(const struct device_place *place,
                        const struct device_spec *device, struct error *err)
{
    struct function function = {.place = place, .device = device};
    int rc = find_function(&function) == 0 ? clear_function(&function, err)
                                           : set_gone(device, errno, err);
    function_close(&function);
    return rc;
}

/* ---- pure functions ---- */

static char *guest_xml(const struct device *device, const struct device_type *type)
{
    (void)type;
    return function_xml(device, true);
}

static bool is_known(const struct gpu *gpu)
{
    return !gpu->parent_count && gpu->vf_total && gpu->driver &&
           strcmp(gpu->driver, "xe") == 0;
}

static char *obstacle_of(const struct gpu *gpu)
{
    return is_known(gpu)
               ? xasprintf("of its %u virtual functions no type is configured, "
                           "or its driver xe takes no vram_quota for them",
                           gpu->vf_total)
               : NULL;
}

static char *remedy_of(const struct gpu *gpu)
{
    return is_known(gpu)
               ? xstrdup(
                     "[vf_type_<type>] vram_quota names one; Linux 7.0 or later and "
                     "a card with memory of its own take it, and functions that "
                     "share themselves are `fixed`")
               : NULL;
}

static struct strlist written(const struct parent *parent)
{
    struct strlist files = {0};
    const char *admin = strstr(parent->path, "/" XE_ADMIN "/");
    strlist_add_take(&files, xasprintf("%s/" XE_QUOTA, parent->path));
    strlist_add_take(&files, xasprintf("%s/" XE_QUANTUM, parent->path));
    strlist_add_take(&files, xasprintf("%s/" XE_TIMEOUT, parent->path));
    if (admin)
        strlist_add_take(&files, xasprintf("%.*s/sriov_numvfs",
                                           (int)(admin - parent->path), parent->path));
    return files;
}

const struct backend backend_xe_vf = {
    .name = XE_VF_NAME,
    .noun = "virtual function",
    .offers = "shares for virtual functions",
    .unknown_to_nova = true,
    .bound_by_libvirt = true,
    .enables_functions = true,
    .scan = xe_vf_scan,
    .address = function_address,
    .guest_xml = guest_xml,
    .qemu_device = function_qemu_device,
    .obstacle = obstacle_of,
    .remedy = remedy_of,
    .written = written,
    .create = create_device,
    .remove = remove_device,
    .clear = clear_device,
};
