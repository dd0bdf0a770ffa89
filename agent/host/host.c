#include "agent/host/host.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "config/device_address.h"
#include "lib/pci_address.h"
#include "lib/text_copy.h"
#include "lib/xalloc.h"

void device_clear(struct device *device)
{
    free(device->type_id);
    strlist_clear(&device->nodes);
    strlist_clear(&device->functions);
    free(device->former);
}

static void clear_devices(struct device *devices, size_t count)
{
    for (size_t i = 0; i < count; i++)
        device_clear(&devices[i]);
    free(devices);
}

static void clear_parent(struct parent *parent)
{
    for (size_t i = 0; i < parent->type_count; i++) {
        struct device_type *type = &parent->types[i];
        free(type->id);
        free(type->name);
        free(type->description);
        free(type->device_api);
    }
    free(parent->types);
    clear_devices(parent->devices, parent->device_count);
    clear_devices(parent->places, parent->place_count);
    free(parent->name);
    free(parent->path);
}

static void clear_gpu(struct gpu *gpu)
{
    for (size_t i = 0; i < gpu->parent_count; i++)
        clear_parent(&gpu->parents[i]);
    free(gpu->parents);
    free(gpu->name);
    free(gpu->node_name);
    free(gpu->driver);
    free(gpu->health_reason);
}

void host_free(struct host *host)
{
    if (!host)
        return;
    for (size_t i = 0; i < host->gpu_count; i++)
        clear_gpu(&host->gpus[i]);
    free(host->gpus);
    clear_devices(host->strays, host->stray_count);
    free(host);
}

const struct gpu *host_gpu(const struct host *host, const char *name)
{
    for (size_t i = 0; i < host->gpu_count; i++)
        if (strcmp(host->gpus[i].name, name) == 0)
            return &host->gpus[i];
    return NULL;
}

static const struct parent *find_parent(const struct gpu *gpu, const char *name)
{
    for (size_t i = 0; i < gpu->parent_count; i++)
        if (strcmp(gpu->parents[i].name, name) == 0)
            return &gpu->parents[i];
    return NULL;
}

char *host_logical_name(const struct host *host, const struct gpu *gpu)
{
    size_t number = 0;
    for (const struct gpu *g = host->gpus; g <= gpu; g++)
        number += g->is_pci;
    return gpu->is_pci ? xasprintf(LOGICAL_NAME_PREFIX "%zu", number) : NULL;
}

const struct gpu *host_parent(const struct host *host, const char *name,
                              const struct parent **parent)
{
    for (size_t i = 0; i < host->gpu_count; i++) {
        const struct parent *found = find_parent(&host->gpus[i], name);
        if (!found)
            continue;
        if (parent)
            *parent = found;
        return &host->gpus[i];
    }
    return NULL;
}

const struct device_type *parent_type(const struct parent *parent, const char *type_id)
{
    for (size_t i = 0; i < parent->type_count; i++)
        if (strcmp(parent->types[i].id, type_id) == 0)
            return &parent->types[i];
    return NULL;
}

const struct device_type *gpu_type(const struct gpu *gpu, const char *type_id)
{
    const struct device_type *type = NULL;
    for (size_t i = 0; i < gpu->parent_count && !type; i++)
        type = parent_type(&gpu->parents[i], type_id);
    return type;
}

static bool has_number(const struct device_type *type, const char *number)
{
    const char *dash = strrchr(type->id, '-');
    return dash && *number && !number[strspn(number, "0123456789")] &&
           strcmp(dash + 1, number) == 0;
}

static const struct device_type *type_by_number(const struct parent *parent,
                                                const char *number)
{
    for (size_t i = 0; i < parent->type_count; i++)
        if (has_number(&parent->types[i], number))
            return &parent->types[i];
    return NULL;
}

static const struct device_type *type_by_name(const struct parent *parent,
                                              const char *name)
{
    for (size_t i = 0; i < parent->type_count; i++)
        if (parent->types[i].name && strcmp(parent->types[i].name, name) == 0)
            return &parent->types[i];
    return NULL;
}

bool gpu_offers_types(const struct gpu *gpu)
{
    for (size_t i = 0; i < gpu->parent_count; i++)
        if (gpu->parents[i].type_count)
            return true;
    return false;
}

bool host_has_places(const struct host *host)
{
    for (size_t i = 0; i < host->gpu_count; i++)
        for (size_t j = 0; j < host->gpus[i].parent_count; j++)
            if (host->gpus[i].parents[j].place_count)
                return true;
    return false;
}

const struct device_type *gpu_resolve_type(const struct gpu *gpu,
                                           const char *configured)
{
    const struct device_type *type = gpu_type(gpu, configured);
    for (size_t i = 0; i < gpu->parent_count && !type; i++)
        type = type_by_name(&gpu->parents[i], configured);
    for (size_t i = 0; i < gpu->parent_count && !type; i++)
        type = type_by_number(&gpu->parents[i], configured);
    return type;
}

bool type_name_is(const char *name, const char *word)
{
    size_t all = name ? strlen(name) : 0, some = strlen(word);
    return some && some <= all && (some == all || name[all - some - 1] == ' ') &&
           strcasecmp(name + all - some, word) == 0;
}

bool type_is_called(const struct device_type *type, const char *word)
{
    return strcasecmp(type->id, word) == 0 || has_number(type, word) ||
           type_name_is(type->name, word);
}

static const struct device *find_device(const struct device *devices, size_t count,
                                        const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(devices[i].address, name) == 0 || strcmp(devices[i].uuid, name) == 0)
            return &devices[i];
    return NULL;
}

const struct device *host_device(const struct host *host, const char *name,
                                 const struct gpu **gpu, const struct parent **parent)
{
    const struct gpu *on = NULL;
    const struct parent *below = NULL;
    const struct device *device = NULL;
    for (size_t i = 0; i < host->gpu_count && !device; i++) {
        on = &host->gpus[i];
        for (size_t j = 0; j < on->parent_count && !device; j++) {
            below = &on->parents[j];
            device = find_device(below->devices, below->device_count, name);
        }
    }
    if (!device) {
        on = NULL;
        below = NULL;
        device = find_device(host->strays, host->stray_count, name);
    }
    if (device && gpu)
        *gpu = on;
    if (device && parent)
        *parent = below;
    return device;
}

size_t device_part_count(const struct device *device)
{
    return 1 + device->functions.count;
}

struct device device_part(const struct device *device, size_t part)
{
    struct device out = *device;
    if (part > 0)
        text_copy_array(out.address, device->functions.items[part - 1]);
    return out;
}

const char *gpu_health_name(enum gpu_health health)
{
    static const char *const names[] = {
        [GPU_OK] = "ok",
        [GPU_GONE] = "gone",
        [GPU_LOST] = "lost",
        [GPU_UNREADABLE] = "unreadable",
        [GPU_UNUSABLE] = "unusable",
    };
    return names[health];
}

char *node_device_name(const char *subsystem, const char *name)
{
    /* libvirt names this one device by the family of its driver. */
    if (strcmp(subsystem, "matrix") == 0)
        subsystem = "ap";
    char *text = xasprintf("%s_%s", subsystem, name);
    for (char *p = text; *p; p++)
        if (!isalnum((unsigned char)*p))
            *p = '_';
    return text;
}

struct gpu *host_add_gpu(struct host *host, const char *name)
{
    struct gpu *gpu = (struct gpu *)host_gpu(host, name);
    if (gpu)
        return gpu;
    gpu = array_add(host->gpus, host->gpu_count);
    gpu->name = xstrdup(name);
    gpu->is_pci = pci_address_parse(name, NULL);
    gpu->node_name = node_device_name(gpu->is_pci ? "pci" : name, name);
    gpu->numa_node = -1;
    return gpu;
}

void gpu_drop_parent(struct gpu *gpu, const char *name)
{
    for (size_t i = 0; i < gpu->parent_count; i++) {
        if (strcmp(gpu->parents[i].name, name) != 0)
            continue;
        clear_parent(&gpu->parents[i]);
        memmove(&gpu->parents[i], &gpu->parents[i + 1],
                (--gpu->parent_count - i) * sizeof *gpu->parents);
        return;
    }
}

struct parent *gpu_add_parent(struct gpu *gpu, const char *backend, const char *name)
{
    struct parent *parent = (struct parent *)find_parent(gpu, name);
    if (!parent) {
        parent = array_add(gpu->parents, gpu->parent_count);
        text_copy_array(parent->backend, backend);
        parent->name = xstrdup(name);
    }
    return parent;
}

static struct device *begin_device(struct device *device, const struct parent *parent,
                                   const char *address)
{
    memcpy(device->backend, parent->backend, sizeof device->backend);
    text_copy_array(device->address, address);
    return device;
}

struct device *parent_add_device(struct parent *parent, const char *address)
{
    return begin_device(array_add(parent->devices, parent->device_count), parent,
                        address);
}

struct device *parent_add_place(struct parent *parent, const char *address)
{
    return begin_device(array_add(parent->places, parent->place_count), parent,
                        address);
}

static bool drop_device(struct parent *parent, const char *address)
{
    for (size_t i = 0; i < parent->device_count; i++) {
        struct device *device = &parent->devices[i];
        if (strcmp(device->address, address) != 0)
            continue;
        device_clear(device);
        size_t after = --parent->device_count - i;
        memmove(device, device + 1, after * sizeof *device);
        return true;
    }
    return false;
}

void host_drop_device(struct host *host, const char *address)
{
    for (size_t i = 0; i < host->gpu_count; i++)
        for (size_t j = 0; j < host->gpus[i].parent_count; j++)
            if (drop_device(&host->gpus[i].parents[j], address))
                return;
}

static struct device *add_in_transition(struct host *host, const struct device *like,
                                        const char *parent)
{
    const struct parent *found;
    struct device *device =
        host_parent(host, parent, &found)
            ? parent_add_device((struct parent *)found, like->address)
            : array_add(host->strays, host->stray_count);
    memcpy(device->backend, like->backend, sizeof device->backend);
    memcpy(device->address, like->address, sizeof device->address);
    memcpy(device->uuid, like->uuid, sizeof device->uuid);
    return device;
}

void host_mark_in_transition(struct host *host, const struct device *device,
                             const char *parent)
{
    const char *name = *device->address ? device->address : device->uuid;
    struct device *found = (struct device *)host_device(host, name, NULL, NULL);
    if (!found)
        found = add_in_transition(host, device, parent);
    found->in_transition = true;
    found->leaving = device->leaving;
    host_sort(host);
}

/* ---- sorting ---- */

/* PCI addresses compare as hexadecimal numbers (bus 3d comes after bus 10), and come
 * before other names. */
static int compare_names(const char *a, const char *b)
{
    uint64_t left, right;
    bool left_is_pci = pci_address_parse(a, &left),
         right_is_pci = pci_address_parse(b, &right);
    if (left_is_pci != right_is_pci)
        return left_is_pci ? -1 : 1;
    if (left_is_pci)
        return (left > right) - (left < right);
    return strverscmp(a, b);
}

static int compare_gpus(const void *a, const void *b)
{
    return compare_names(((const struct gpu *)a)->name, ((const struct gpu *)b)->name);
}

static int compare_parents(const void *a, const void *b)
{
    return compare_names(((const struct parent *)a)->name,
                         ((const struct parent *)b)->name);
}

static int compare_types(const void *a, const void *b)
{
    return strverscmp(((const struct device_type *)a)->id,
                      ((const struct device_type *)b)->id);
}

static int compare_devices(const void *a, const void *b)
{
    return strcmp(((const struct device *)a)->address,
                  ((const struct device *)b)->address);
}

/* qsort() must not be called with NULL, not even for 0 items. */
static void sort(void *items, size_t count, size_t size,
                 int (*compare)(const void *, const void *))
{
    if (count)
        qsort(items, count, size, compare);
}

static void sort_parent(struct parent *parent)
{
    sort(parent->types, parent->type_count, sizeof *parent->types, compare_types);
    sort(parent->devices, parent->device_count, sizeof *parent->devices,
         compare_devices);
}

void host_sort(struct host *host)
{
    for (size_t i = 0; i < host->gpu_count; i++) {
        struct gpu *gpu = &host->gpus[i];
        for (size_t j = 0; j < gpu->parent_count; j++)
            sort_parent(&gpu->parents[j]);
        sort(gpu->parents, gpu->parent_count, sizeof *gpu->parents, compare_parents);
    }
    sort(host->gpus, host->gpu_count, sizeof *host->gpus, compare_gpus);
    sort(host->strays, host->stray_count, sizeof *host->strays, compare_devices);
}
