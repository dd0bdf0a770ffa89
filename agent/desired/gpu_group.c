#include "agent/desired/gpu_group.h"

#include <stdlib.h>

#include "agent/desired/type_traits.h"
#include "agent/host/capacity.h"
#include "lib/xalloc.h"

const struct group_config *gpu_group_of(const struct config *config,
                                        const struct gpu *gpu)
{
    for (size_t i = 0; i < config->group_count; i++) {
        const struct strlist *names = &config->groups[i].device_addresses;
        bool has = strlist_contains(names, gpu->name);
        for (size_t j = 0; j < gpu->parent_count && !has; j++)
            has = strlist_contains(names, gpu->parents[j].name);
        if (has)
            return &config->groups[i];
    }
    return NULL;
}

char *gpu_group_trait(const struct group_config *group)
{
    _cleanup_free_ char *text = xasprintf("GPU_GROUP_%s", group->name);
    return trait_custom(text);
}

/* ---- the order ---- */

struct place {
    const struct gpu *gpu;
    size_t group; /* its index; behind all groups where it is in none */
    int64_t rank; /* within the group: the least comes first */
};

static int64_t count_devices(const struct gpu *gpu)
{
    int64_t count = 0;
    for (size_t i = 0; i < gpu->parent_count; i++)
        count += (int64_t)gpu->parents[i].device_count;
    return count;
}

static int64_t room(const struct gpu *gpu, const char *type_id)
{
    return (int64_t)gpu_capacity(gpu, type_id) - gpu_device_count(gpu, type_id);
}

static struct place place_of(const struct config *config, const struct gpu *gpu,
                             const char *type)
{
    const struct group_config *group = gpu_group_of(config, gpu);
    if (!group)
        return (struct place){gpu, config->group_count,
                              -room(gpu, gpu_resolve_type(gpu, type)->id)};
    int64_t devices = count_devices(gpu);
    return (struct place){gpu, (size_t)(group - config->groups),
                          group->allocation == ALLOCATE_DEPTH_FIRST ? -devices
                                                                    : devices};
}

/* All are of one array of the host, in the order of the bus. */
static int compare(const void *left, const void *right)
{
    const struct place *a = left, *b = right;
    if (a->group != b->group)
        return a->group < b->group ? -1 : 1;
    if (a->rank != b->rank)
        return a->rank < b->rank ? -1 : 1;
    return (a->gpu > b->gpu) - (a->gpu < b->gpu);
}

void gpu_group_sort(const struct config *config, const char *type,
                    const struct gpu **gpus, size_t count)
{
    struct place *places = xcalloc(count, sizeof *places);
    for (size_t i = 0; i < count; i++)
        places[i] = place_of(config, gpus[i], type);
    if (count)
        qsort(places, count, sizeof *places, compare);
    for (size_t i = 0; i < count; i++)
        gpus[i] = places[i].gpu;
    free(places);
}
