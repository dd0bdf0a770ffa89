#include "agent/report/gpu_status.h"

#include <string.h>

#include "lib/xalloc.h"

static const struct inventory *find_inventory(const struct class_inventory *list,
                                              size_t count, const char *resource_class)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(list[i].resource_class, resource_class) == 0)
            return &list[i].inventory;
    return NULL;
}

/* What the cycle itself has written since it looked; NULL: nothing. */
static const struct step *find_written(const struct cycle *cycle, const char *provider)
{
    const struct cycle_round *round = &cycle->rounds[cycle->round_count - 1];
    for (size_t i = 0; round->execution && i < round->execution->count; i++) {
        const struct step *step = &round->plan->steps[i];
        if (step->kind == STEP_SET_INVENTORY &&
            round->execution->results[i].outcome == STEP_DONE &&
            strcmp(step->provider_name, provider) == 0)
            return step;
    }
    return NULL;
}

static void fill_numbers(const struct cycle *cycle, struct gpu_status *status,
                         const struct observed_provider *provider)
{
    if (!status->resource_class)
        return;
    const struct step *written = find_written(cycle, status->provider_name);
    const struct inventory *inventory =
        written    ? find_inventory(written->inventories, written->inventory_count,
                                    status->resource_class)
        : provider ? find_inventory(provider->inventories, provider->inventory_count,
                                    status->resource_class)
                   : NULL;
    if (inventory) {
        status->total = inventory->total;
        status->reserved = inventory->reserved;
    }
    for (size_t i = 0; provider && i < provider->allocation_count; i++)
        if (strcmp(provider->allocations[i].resource_class, status->resource_class) ==
            0)
            status->used += provider->allocations[i].amount;
}

static bool is_drained(const struct cycle *cycle, const char *gpu)
{
    return cycle->drained && strlist_contains(cycle->drained, gpu);
}

static enum gpu_health health_of(const struct desired_provider *desired)
{
    if (!desired->gpu)
        return GPU_GONE;
    enum gpu_health health = desired->gpu->health;
    return health == GPU_OK && desired->sick ? GPU_UNUSABLE : health;
}

/* By its name, since Nova's have other uuids. */
static void fill_desired(const struct cycle *cycle,
                         const struct desired_provider *desired,
                         struct gpu_status *status)
{
    bool of_parent =
        cycle->desired->mode == MODE_NOVA && desired->view.parent_count == 1;
    status->gpu =
        xstrdup(of_parent ? desired->view.parents[0].name : desired->gpu_name);
    status->provider_name = xstrdup(desired->name);
    status->type_id =
        xstrdup(desired->type_id ? desired->type_id : desired->type_config->type);
    status->type_name = xstrdup(desired->type_name);
    status->resource_class = xstrdup(desired->resource_class);
    status->health = health_of(desired);
    status->service = is_drained(cycle, desired->gpu_name) ? GPU_DRAINED : GPU_ACTIVE;
    const struct observed_provider *provider =
        observed_by_name(cycle->observed, desired->name);
    fill_numbers(cycle, status,
                 provider ? provider
                          : observed_by_uuid(cycle->observed, desired->uuid));
}

static void fill_retired(const struct cycle *cycle,
                         const struct retired_provider *retired,
                         struct gpu_status *status)
{
    const struct gpu *gpu = host_gpu(cycle->host, retired->gpu);
    const struct observed_provider *provider =
        observed_by_uuid(cycle->observed, retired->uuid);
    status->gpu = xstrdup(retired->gpu);
    status->provider_name = xstrdup(retired->name);
    if (provider && provider->inventory_count)
        status->resource_class = xstrdup(provider->inventories[0].resource_class);
    status->health = gpu ? gpu->health : GPU_GONE;
    status->service = GPU_RETIRED;
    fill_numbers(cycle, status, provider);
}

/* One that is gone may be pruned, though it is configured still. */
static bool is_listed(const struct gpu_status *list, size_t count,
                      const struct retired_provider *retired)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(list[i].provider_name, retired->name) == 0)
            return true;
    return false;
}

void gpu_status_list(const struct cycle *cycle, struct gpu_status **out, size_t *count)
{
    *out = NULL;
    *count = 0;
    if (!cycle->observed)
        return;
    const struct desired_tree *desired = cycle->desired;
    for (size_t i = 0; i < desired->provider_count; i++)
        fill_desired(cycle, &desired->providers[i], array_add(*out, *count));
    const struct plan *plan = cycle_plan(cycle);
    for (size_t i = 0; i < plan->retired_count; i++)
        if (!is_listed(*out, *count, &plan->retired[i]))
            fill_retired(cycle, &plan->retired[i], array_add(*out, *count));
}

void gpu_status_free(struct gpu_status *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(list[i].gpu);
        free(list[i].provider_name);
        free(list[i].type_id);
        free(list[i].type_name);
        free(list[i].resource_class);
    }
    free(list);
}

const char *gpu_service_name(enum gpu_service service)
{
    static const char *const names[] = {
        [GPU_ACTIVE] = "active",
        [GPU_DRAINED] = "drained",
        [GPU_RETIRED] = "retired",
    };
    return names[service];
}
