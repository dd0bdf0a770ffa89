#include "agent/backend/nvidia_vfio_scan.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/backend/nvidia_mig.h"
#include "agent/backend/nvidia_vfio_files.h"
#include "agent/backend/virtual_function.h"
#include "agent/host/capacity.h"
#include "agent/host/sysfs.h"
#include "lib/files.h"
#include "lib/pci_address.h"
#include "lib/xalloc.h"

/* ---- one virtual function ---- */

static struct device_type *add_type(struct parent *parent, const char *id,
                                    const char *name)
{
    struct device_type *type = array_add(parent->types, parent->type_count);
    type->id = xstrdup(id);
    type->name = xstrdup(name);
    type->device_api = xstrdup("vfio-pci");
    return type;
}

static struct device_type *type_of_number(struct parent *parent, const char *number,
                                          const char *name)
{
    char id[sizeof NVIDIA_VFIO_TYPE_PREFIX + VGPU_NUMBER_SIZE];
    snprintf(id, sizeof id, NVIDIA_VFIO_TYPE_PREFIX "%s", number);
    struct device_type *known = (struct device_type *)parent_type(parent, id);
    return known ? known : add_type(parent, id, name);
}

static void set_unreadable(struct gpu *gpu, const char *function,
                           const struct error *err)
{
    if (!errno_is_gone(err->errnum))
        card_set_unreadable(gpu, "%s/%s", function, err->text);
}

static void read_creatable(const struct scan *scan, struct gpu *gpu,
                           struct parent *parent, int folder)
{
    _cleanup_vgpu_types_ struct vgpu_types types = {0};
    struct error err = {0};
    if (!card_may_read(scan, gpu, VGPU_CREATABLE))
        return;
    if (vgpu_read_creatable(folder, &types, &err) != 0)
        set_unreadable(gpu, parent->name, &err);
    for (size_t i = 0; i < types.count; i++)
        type_of_number(parent, types.items[i].number, types.items[i].name)->available =
            1;
}

static void read_current(const struct scan *scan, struct gpu *gpu,
                         struct parent *parent, int folder)
{
    char number[VGPU_NUMBER_SIZE];
    struct error err = {0};
    if (!card_may_read(scan, gpu, VGPU_CURRENT))
        return;
    if (vgpu_read_current(folder, number, &err) != 0) {
        set_unreadable(gpu, parent->name, &err);
        return;
    }
    if (strcmp(number, VGPU_NO_TYPE) == 0) {
        device_read_nodes(folder, parent_add_place(parent, parent->name));
        return;
    }
    struct device *device = parent_add_device(parent, parent->name);
    device->type_id = xstrdup(type_of_number(parent, number, NULL)->id);
    device_read_nodes(folder, device);
    for (size_t i = 0; i < parent->type_count; i++)
        parent->types[i].available = 0;
}

/* A card that is not in SR-IOV mode has the files as well, and its functions are parents
 * of mdevs. */
static bool offers_mdevs(int folder)
{
    return faccessat(folder, "mdev_supported_types", F_OK, 0) == 0 ||
           faccessat(folder, "physfn/mdev_supported_types", F_OK, 0) == 0;
}

/* The list is read before the current type: a type that ends or begins between the two
 * can only make the capacity appear too low. */
static void read_function(const struct scan *scan, int functions, const char *name)
{
    char path[PCI_ADDRESS_SIZE + sizeof VGPU_CURRENT];
    if (!pci_address_parse(name, NULL) ||
        snprintf(path, sizeof path, "%s/" VGPU_CURRENT, name) >= (int)sizeof path ||
        faccessat(functions, path, F_OK, 0) != 0 || host_parent(scan->host, name, NULL))
        return;
    _cleanup_close_ int folder = folder_open(functions, name);
    _cleanup_free_ char *pf = folder < 0 ? NULL : folder_link_name(folder, "physfn");
    if (!pf || offers_mdevs(folder))
        return;
    struct gpu *gpu = card_of_function(scan, folder, name);
    struct parent *parent = gpu_add_parent(gpu, NVIDIA_VFIO_NAME, name);
    parent->path = function_path(functions, name);
    read_creatable(scan, gpu, parent, folder);
    read_current(scan, gpu, parent, folder);
}

/* ---- what the names of types tell ---- */

unsigned nvidia_vfio_framebuffer(const char *name)
{
    const char *dash = name ? strrchr(name, '-') : NULL;
    if (!dash)
        return 0;
    const char *size = dash + 1;
    size_t digits = strspn(size, "0123456789");
    size_t letters = strspn(size + digits, "ABCDEFGHIJKLMNOPQRSTUVWXYZ");
    if (digits == 0 || digits > 4 || letters == 0 || size[digits + letters])
        return 0;
    const char *before = dash;
    while (before > name && isdigit((unsigned char)before[-1]))
        before--;
    if (before < dash && before > name && before[-1] == '-')
        return 0;
    unsigned gigabytes = (unsigned)strtoul(size, NULL, 10);
    return gigabytes ? gigabytes * 1024 : 512; /* "M10-0B" */
}

/* ---- what the lists do not say ---- */

static bool is_ours(const struct parent *parent)
{
    return strcmp(parent->backend, NVIDIA_VFIO_NAME) == 0;
}

/* A type that the function does not list cannot be made on it now. */
static void add_known(struct parent *parent, const struct known_type *known)
{
    struct device_type *type = (struct device_type *)parent_type(parent, known->id);
    if (!type)
        type = add_type(parent, known->id, known->name);
    else if (!type->name)
        type->name = xstrdup(known->name);
}

static const struct parent *first_of_ours(const struct gpu *gpu)
{
    for (size_t i = 0; i < gpu->parent_count; i++)
        if (is_ours(&gpu->parents[i]))
            return &gpu->parents[i];
    return NULL;
}

static unsigned largest_framebuffer(const struct parent *parent)
{
    unsigned largest = 0;
    for (size_t i = 0; i < parent->type_count; i++) {
        unsigned size = nvidia_vfio_framebuffer(parent->types[i].name);
        largest = size > largest ? size : largest;
    }
    return largest;
}

/* The memory that the card's devices leave, in MiB; -1 when it is not known. Devices in
 * transition do not count: who asks for a capacity takes them off. */
static long free_memory(const struct gpu *gpu)
{
    long left = largest_framebuffer(first_of_ours(gpu));
    bool known = left > 0;
    for (size_t i = 0; i < gpu->parent_count; i++)
        for (size_t j = 0; j < gpu->parents[i].device_count; j++) {
            const struct device *device = &gpu->parents[i].devices[j];
            if (device->in_transition)
                continue;
            const struct device_type *type =
                device->type_id ? parent_type(&gpu->parents[i], device->type_id) : NULL;
            unsigned size = nvidia_vfio_framebuffer(type ? type->name : NULL);
            known &= size > 0;
            left -= size;
        }
    return !known ? -1 : left > 0 ? left : 0;
}

/* How many of the type the card can have beside its other devices: what the driver lists
 * can be made at least once. */
static unsigned most_of(const struct gpu *gpu, const struct device_type *type,
                        long memory)
{
    unsigned exist = gpu_device_count(gpu, type->id);
    unsigned size = nvidia_vfio_framebuffer(type->name);
    unsigned room = memory > 0 && size ? (unsigned)memory / size : 0;
    if (nvidia_mig_is_type(type->name))
        return exist + nvidia_mig_room(gpu, type);
    return exist + (room ? room : gpu_offering_count(gpu, type->id) > 0);
}

static void set_most(struct gpu *gpu, const struct device_type *like, unsigned most)
{
    for (size_t i = 0; i < gpu->parent_count; i++) {
        struct device_type *type =
            (struct device_type *)parent_type(&gpu->parents[i], like->id);
        if (!type)
            continue;
        type->attributes.framebuffer_mib = nvidia_vfio_framebuffer(type->name);
        type->attributes.max_instance = most;
        type->attributes.beside_others = true;
    }
}

void nvidia_vfio_recall(struct gpu *gpu, const struct known_type *known, size_t count)
{
    const struct parent *first = first_of_ours(gpu);
    if (!first)
        return;
    for (size_t i = 0; i < gpu->parent_count; i++)
        for (size_t j = 0; j < count && is_ours(&gpu->parents[i]); j++)
            add_known(&gpu->parents[i], &known[j]);
    long memory = free_memory(gpu);
    for (size_t i = 0; i < first->type_count; i++)
        set_most(gpu, &first->types[i], most_of(gpu, &first->types[i], memory));
}

/* ---- the scan ---- */

static bool is_of_model(const struct gpu *gpu, const struct gpu *model)
{
    return gpu->vendor == model->vendor && gpu->device == model->device &&
           first_of_ours(gpu);
}

/* `all` borrows its texts. */
static void add_seen(struct parent *all, const struct parent *parent)
{
    for (size_t i = 0; i < parent->type_count; i++) {
        const struct device_type *type = &parent->types[i];
        struct device_type *seen = (struct device_type *)parent_type(all, type->id);
        if (!seen)
            *array_add(all->types, all->type_count) = *type;
        else if (!seen->name)
            seen->name = type->name;
    }
}

/* Completes all cards of the model with what any of them lists. */
static void complete_model(struct host *host, const struct gpu *model)
{
    struct parent all = {0};
    for (size_t i = 0; i < host->gpu_count; i++)
        for (size_t j = 0; j < host->gpus[i].parent_count; j++)
            if (is_of_model(&host->gpus[i], model) &&
                is_ours(&host->gpus[i].parents[j]))
                add_seen(&all, &host->gpus[i].parents[j]);
    _cleanup_free_ struct known_type *known = xcalloc(all.type_count, sizeof *known);
    for (size_t i = 0; i < all.type_count; i++)
        known[i] = (struct known_type){all.types[i].id, all.types[i].name};
    /* The texts are those of one of the cards, which only get more. */
    for (size_t i = 0; i < host->gpu_count; i++)
        if (is_of_model(&host->gpus[i], model))
            nvidia_vfio_recall(&host->gpus[i], known, all.type_count);
    free(all.types);
}

static bool is_first_of_model(const struct host *host, size_t index)
{
    for (size_t i = 0; i < index; i++)
        if (is_of_model(&host->gpus[i], &host->gpus[index]))
            return false;
    return first_of_ours(&host->gpus[index]) != NULL;
}

int nvidia_vfio_scan(const struct scan *scan, int root, struct error *err)
{
    if (card_scan_list(scan, root, FUNCTIONS_FOLDER, read_function, err) != 0)
        return -1;
    for (size_t i = 0; i < scan->host->gpu_count; i++)
        if (is_first_of_model(scan->host, i))
            complete_model(scan->host, &scan->host->gpus[i]);
    return 0;
}
