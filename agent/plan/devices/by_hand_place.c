#include "agent/plan/devices/by_hand_place.h"

#include <string.h>

#include "agent/backend/backend.h"
#include "agent/desired/card_types.h"
#include "agent/desired/gpu_group.h"
#include "agent/host/capacity.h"
#include "lib/xalloc.h"

/* ---- the choice of a card ---- */

static bool is_for_another_type(const struct world *world, const struct gpu *gpu,
                                const struct device_type *type)
{
    bool configured = false;
    for (size_t i = 0; i < world->managed_count; i++) {
        const struct desired_provider *desired = world->managed[i].desired;
        if (!desired || !desired->type_id || strcmp(desired->gpu_name, gpu->name) != 0)
            continue;
        if (strcmp(desired->type_id, type->id) == 0)
            return false;
        configured = true;
    }
    return configured;
}

/* Whether a further device of the type can be made on the GPU, and nothing speaks
 * against it. */
static bool is_choice(const struct world *world, const struct gpu *gpu,
                      const char *type)
{
    const struct device_type *offered = gpu_resolve_type(gpu, type);
    _cleanup_free_ char *objection =
        offered ? card_types_forbid(world->in->config, gpu, offered->id) : NULL;
    return offered && !objection && gpu->health == GPU_OK &&
           !(world->in->drained && strlist_contains(world->in->drained, gpu->name)) &&
           !is_for_another_type(world, gpu, offered) &&
           gpu_capacity(gpu, offered->id) > gpu_device_count(gpu, offered->id);
}

struct strlist by_hand_choices(const struct world *world, const char *type)
{
    const struct host *host = world->in->host;
    const struct gpu **choices = xcalloc(host->gpu_count, sizeof *choices);
    struct strlist names = {0};
    size_t count = 0;
    for (size_t i = 0; i < host->gpu_count; i++)
        if (is_choice(world, &host->gpus[i], type))
            choices[count++] = &host->gpus[i];
    gpu_group_sort(world->in->config, type, choices, count);
    for (size_t i = 0; i < count; i++)
        strlist_add(&names, choices[i]->name);
    free(choices);
    return names;
}

/* ---- the card ---- */

struct gpu by_hand_place(const struct world *world, const struct group *group)
{
    struct gpu place = *group->gpu;
    for (size_t i = 0; !world->by_card && i < group->gpu->parent_count; i++)
        if (strcmp(group->gpu->parents[i].name, group->key) == 0) {
            place.parents = &group->gpu->parents[i];
            place.parent_count = 1;
        }
    return place;
}

char *by_hand_obstacle(const struct gpu *gpu)
{
    if (gpu->health != GPU_OK)
        return xasprintf("the GPU %s is not well: %s", gpu->name,
                         gpu_health_name(gpu->health));
    char *why = gpu_obstacle(gpu);
    if (!why)
        return NULL;
    char *text = xasprintf("on %s nothing can be made: %s", gpu->name, why);
    free(why);
    return text;
}

const char *by_hand_waits(const struct world *world, const struct group *group)
{
    for (size_t i = 0; i < group->want_count; i++)
        if (want_missing(&group->wants[i]) > 0)
            return world->owner ? "an allocation on this GPU has no device yet, and "
                                  "comes first"
                                : "nova-compute has not made the device of an "
                                  "allocation on this GPU yet, which comes first";
    for (size_t i = 0; i < group->lost_count; i++)
        if (group->lost[i].want)
            return "the lost device of an allocation on this GPU comes first";
    return NULL;
}
