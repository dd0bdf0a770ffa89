#include "tests/unit/agent/backend/fake_kind.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/backend/scan.h"
#include "lib/files.h"
#include "lib/xalloc.h"
#include "tests/unit/test.h"
#include "tests/unit/tree.h"

bool fake_kind_chooses;

const char *const fake_kind_functions[FAKE_KIND_FUNCTIONS] = {VF_1, VF_2, VF_3};

int fake_kind_open(const char *sysfs_root)
{
    char *path = xasprintf("%s/fake", sysfs_root);
    int fd = open(path, O_PATH | O_CLOEXEC);
    free(path);
    return fd;
}

char *fake_kind_type_of(int folder, const char *function)
{
    char *type = NULL;
    if (attribute_read_at(folder, function, &type, NULL) != 0 || strcmp(type, "0") != 0)
        return type;
    free(type);
    return NULL;
}

static void add_function(struct gpu *gpu, int folder, const char *function)
{
    struct parent *parent =
        gpu_add_parent(gpu, "fake_vf", fake_kind_chooses ? CARD : function);
    char *taken = fake_kind_type_of(folder, function);
    if (taken) {
        struct device *device = parent_add_device(parent, function);
        device->type_id = taken;
    }
    for (size_t i = 0; i < 2 && parent->type_count < 2; i++) {
        struct device_type *type = array_add(parent->types, parent->type_count);
        type->id = xstrdup(i ? OTHER_TYPE : TYPE);
        type->name = xstrdup(i ? "FAKE L40S-2Q" : "FAKE L40S-1Q");
    }
    for (size_t i = 0; i < parent->type_count; i++)
        parent->types[i].available += !taken;
}

static int fake_scan(const struct scan *scan, int root, struct error *err)
{
    (void)err;
    int folder = openat(root, "fake", O_PATH | O_CLOEXEC);
    if (folder < 0)
        return 0;
    struct gpu *gpu = host_add_gpu(scan->host, CARD);
    gpu->driver = xstrdup("fake");
    for (size_t i = 0; i < FAKE_KIND_FUNCTIONS; i++)
        add_function(gpu, folder, fake_kind_functions[i]);
    close(folder);
    return 0;
}

static void fake_address(const char *parent, const char *uuid,
                         char out[DEVICE_ADDRESS_SIZE])
{
    (void)uuid;
    stpcpy(out, fake_kind_chooses ? "" : parent);
}

static int fake_create(const struct device_place *place,
                       const struct device_spec *device,
                       char address[DEVICE_ADDRESS_SIZE], bool *existed,
                       struct error *err)
{
    int folder = fake_kind_open(place->sysfs_root);
    *existed = false;
    *address = 0;
    for (size_t i = 0; i < FAKE_KIND_FUNCTIONS && !*address; i++) {
        char *taken = fake_kind_type_of(folder, fake_kind_functions[i]);
        if (!taken && (fake_kind_chooses ||
                       strcmp(fake_kind_functions[i], device->parent) == 0)) {
            char *path = xasprintf("fake/%s", fake_kind_functions[i]);
            tree_write(place->sysfs_root, path, device->type_id);
            free(path);
            stpcpy(address, fake_kind_functions[i]);
        }
        free(taken);
    }
    close(folder);
    return *address ? 0 : error_set(err, ERROR_EXHAUSTED, "no function is free");
}

static int fake_remove(const struct device_place *place,
                       const struct device_spec *device, struct error *err)
{
    struct device alone = {0};
    stpcpy(alone.address, device->address);
    int folder = fake_kind_open(place->sysfs_root);
    char *type = fake_kind_type_of(folder, device->address);
    close(folder);
    /* Somebody else's by now. */
    bool gone = !type || strcmp(type, device->type_id) != 0;
    free(type);
    if (gone)
        return 0;
    if (device_check_unused(&place->use, &alone, err) != 0)
        return -1;
    char *path = xasprintf("fake/%s", device->address);
    tree_write(place->sysfs_root, path, "0");
    free(path);
    return 0;
}

/* It keeps nothing for a consumer. */
static int fake_clear(const struct device_place *place,
                      const struct device_spec *device, struct error *err)
{
    (void)place;
    (void)device;
    (void)err;
    return 0;
}

static char *fake_xml(const struct device *device, const struct device_type *type)
{
    return xasprintf("<hostdev pci='%s' name='%s'/>", device->address, type->name);
}

static char *fake_device(const struct device *device, const struct device_type *type)
{
    (void)type;
    return xasprintf("vfio-pci,host=%s", device->address);
}

static char *fake_word(const struct gpu *gpu)
{
    return gpu->driver && strcmp(gpu->driver, "fake") == 0 ? xstrdup("fake") : NULL;
}

const struct backend fake_kind = {
    .name = "fake_vf",
    .noun = "VF",
    .offers = "virtual functions",
    .scan = fake_scan,
    .address = fake_address,
    .guest_xml = fake_xml,
    .qemu_device = fake_device,
    .obstacle = fake_word,
    .remedy = fake_word,
    .create = fake_create,
    .remove = fake_remove,
    .clear = fake_clear,
};
