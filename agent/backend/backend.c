#include "agent/backend/backend.h"

#include <string.h>
#include <unistd.h>

#include "agent/backend/backends.h"
#include "agent/backend/nvidia_vfio_files.h"
#include "lib/xalloc.h"

int device_place_check_agent(const struct device_place *place, struct error *err)
{
    return !place->agent || getppid() == place->agent
               ? 0
               : error_set(err, ERROR_BUSY, "the agent that asked has ended");
}

const struct backend *backend_find(const char *name)
{
    for (size_t i = 0; backends[i]; i++)
        if (strcmp(backends[i]->name, name) == 0)
            return backends[i];
    return NULL;
}

const char *backend_offers(const char *name)
{
    const struct backend *backend = backend_find(name);
    return backend ? backend->offers : "devices";
}

bool backend_leaves_parts(const char *name)
{
    const struct backend *backend = backend_find(name);
    return backend && backend->parts_remain;
}

bool backend_is_permanent(const char *name)
{
    const struct backend *backend = backend_find(name);
    return backend && backend->permanent;
}

bool backend_is_novas(const char *name)
{
    const struct backend *backend = backend_find(name);
    return !backend || !backend->unknown_to_nova;
}

/* Of a kind whose devices stand in the place of their parents. */
static bool is_parents_address(const struct backend *backend, const struct host *host,
                               const char *address)
{
    const struct parent *parent;
    return host_parent(host, address, &parent) &&
           strcmp(parent->backend, backend->name) == 0;
}

bool backend_is_address(const struct host *host, const char *address)
{
    for (size_t i = 0; backends[i]; i++)
        if (backends[i]->is_address ? backends[i]->is_address(host, address)
                                    : is_parents_address(backends[i], host, address))
            return true;
    return false;
}

/* ---- cards that offer nothing ---- */

static bool may_know(const struct backend *backend, const struct gpu *gpu)
{
    for (size_t i = 0; i < gpu->parent_count; i++)
        if (strcmp(gpu->parents[i].backend, backend->name) == 0)
            return true;
    return gpu->parent_count == 0;
}

char *gpu_obstacle(const struct gpu *gpu)
{
    if (gpu_offers_types(gpu))
        return NULL;
    if (!gpu->parent_count && !gpu->driver)
        return xstrdup("no driver is bound to it");
    char *obstacle = NULL;
    for (size_t i = 0; backends[i] && !obstacle; i++)
        if (may_know(backends[i], gpu))
            obstacle = backends[i]->obstacle(gpu);
    return obstacle ? obstacle : xstrdup("it offers no devices");
}

char *gpu_remedy(const struct gpu *gpu)
{
    switch (gpu->health) {
    case GPU_LOST:
        return xstrdup("reset it or put it in anew; its devices come back with it");
    case GPU_UNREADABLE:
        return xstrdup("the driver's lines in `dmesg` say more");
    case GPU_GONE:
        return xstrdup("put it back");
    case GPU_OK:
    case GPU_UNUSABLE:
        break;
    }
    if (!gpu->parent_count && !gpu->driver)
        return xstrdup("bind the vendor's driver to it");
    char *remedy = NULL;
    for (size_t i = 0; backends[i] && !remedy; i++)
        if (may_know(backends[i], gpu))
            remedy = backends[i]->remedy(gpu);
    return remedy ? remedy : xstrdup("see the vendor's documents");
}

char *host_obstacle(const struct host *host, const char *sysfs_root)
{
    for (size_t i = 0; i < host->gpu_count; i++)
        if (gpu_offers_types(&host->gpus[i]))
            return NULL;
    if (host->gpu_count == 0)
        return xasprintf("no GPU is on this host: %s has neither a display-class PCI "
                         "device nor one with mdev_supported_types (class/mdev_bus): "
                         "does `lspci` show the card, and is the vendor's "
                         "driver for hosts of virtual GPUs loaded?",
                         sysfs_root);
    return xasprintf("no GPU of this host offers types of virtual GPUs (below %s, "
                     "nothing in class/mdev_bus has mdev_supported_types, and no "
                     "virtual function " VGPU_CURRENT "): `vgpu-agent gpus` says of "
                     "each why",
                     sysfs_root);
}
