#include "agent/plan/gpu_group.h"

#include <string.h>

#include "agent/host/capacity.h"
#include "agent/plan/desired.h"
#include "agent/plan/type_traits.h"
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

/* ---- the choice ---- */

/* All devices, of whatever type and whoever made them: they share the card. */
static size_t count_devices(const struct gpu *gpu)
{
    size_t count = 0;
    for (size_t i = 0; i < gpu->parent_count; i++)
        count += gpu->parents[i].device_count;
    return count;
}

/* Of equal cards the first in the order of the bus is taken. */
static bool is_before(enum group_allocation allocation, size_t count, size_t other)
{
    return allocation == ALLOCATE_BREADTH_FIRST ? count < other : count > other;
}

static bool has_room(const struct gpu *gpu, const char *type_id)
{
    return gpu_capacity(gpu, type_id) > gpu_device_count(gpu, type_id);
}

/* Whether a device of the type can be made on the GPU now. */
static bool is_usable(const struct gpu_group_question *question, const struct gpu *gpu)
{
    const struct device_type *type = gpu_resolve_type(gpu, question->type);
    const struct mdev_type_config *configured =
        desired_type_of(question->config, question->host, gpu);
    const struct device_type *its =
        configured ? gpu_resolve_type(gpu, configured->type) : NULL;
    if (!type || gpu->health != GPU_OK ||
        (question->drained && strlist_contains(question->drained, gpu->name)))
        return false;
    if (configured && (its != type || !desired_is_of_model(configured, gpu)))
        return false;
    return has_room(gpu, type->id);
}

/* The best GPU of the group; NULL as `group`: of those that are in none. */
static const struct gpu *best_of(const struct gpu_group_question *question,
                                 const struct group_config *group)
{
    const struct gpu *best = NULL;
    enum group_allocation allocation = group ? group->allocation : ALLOCATE_DEPTH_FIRST;
    for (size_t i = 0; i < question->host->gpu_count; i++) {
        const struct gpu *gpu = &question->host->gpus[i];
        if (gpu_group_of(question->config, gpu) == group && is_usable(question, gpu) &&
            (!best || is_before(allocation, count_devices(gpu), count_devices(best))))
            best = gpu;
    }
    return best;
}

static int complain(const struct gpu_group_question *question, bool known,
                    struct error *err)
{
    _cleanup_strlist_ struct strlist names = {0};
    for (size_t i = 0; i < question->config->group_count; i++)
        strlist_add(&names, question->config->groups[i].name);
    _cleanup_free_ char *list = strlist_join(&names, ", ");
    if (!known)
        return error_set(err, ERROR_INVALID, "no group %s is configured%s%s",
                         question->group, names.count ? "; there are " : "",
                         names.count ? list : "");
    return error_set(err, ERROR_NOT_FOUND,
                     "no GPU%s%s takes a further device of the type '%s' now: "
                     "`vgpu-agent types` says what is left, `vgpu-agent gpus` how they "
                     "stand",
                     question->group ? " of the group " : "",
                     question->group ? question->group : "", question->type);
}

int gpu_group_choose(const struct gpu_group_question *question, const struct gpu **out,
                     struct error *err)
{
    const struct config *config = question->config;
    const struct gpu *gpu = NULL;
    bool known = !question->group;
    for (size_t i = 0; i < config->group_count && !gpu; i++) {
        const struct group_config *group = &config->groups[i];
        if (question->group && strcasecmp(question->group, group->name) != 0)
            continue;
        known = true;
        gpu = best_of(question, group);
    }
    if (!gpu && !question->group)
        gpu = best_of(question, NULL);
    if (!gpu)
        return complain(question, known, err);
    *out = gpu;
    return 0;
}
