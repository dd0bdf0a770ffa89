#include "agent/report/gpu_types.h"

#include <string.h>

#include "agent/backend/backend.h"
#include "agent/desired/type_traits.h"
#include "agent/host/capacity.h"
#include "lib/xalloc.h"

const char *type_enabled_name(enum type_enabled enabled)
{
    static const char *const names[] = {
        [TYPE_NOT_ENABLED] = "no",
        [TYPE_BY_FILES] = "file",
        [TYPE_AT_RUN_TIME] = "run time",
        [TYPE_DISABLED] = "disabled",
    };
    return names[enabled];
}

/* ---- which types ---- */

static struct gpu_type *find(const struct gpu_type_list *list, const struct gpu *gpu,
                             const char *type)
{
    for (size_t i = 0; i < list->count; i++)
        if (card_types_is_same(gpu, list->items[i].type, type))
            return &list->items[i];
    return NULL;
}

static struct gpu_type *add(struct gpu_type_list *list, const struct gpu *gpu,
                            const char *type)
{
    const struct device_type *offered = gpu ? gpu_resolve_type(gpu, type) : NULL;
    struct gpu_type *added = array_add(list->items, list->count);
    added->type = xstrdup(type);
    added->service = GPU_UNUSED;
    if (offered) {
        added->id = xstrdup(offered->id);
        added->name = xstrdup(offered->name);
    }
    return added;
}

static struct card_types types_of(const struct cycle *cycle, const struct gpu *gpu,
                                  const char *name, const struct type_choices *choices,
                                  struct type_pool *pool)
{
    _cleanup_strlist_ struct strlist ignored = {0};
    return gpu ? card_types_choose(cycle->config, cycle->host, gpu, choices, pool,
                                   &ignored)
               : card_types_of_absent(cycle->config, name, choices, pool);
}

static void add_enabled(const struct cycle *cycle, const struct gpu *gpu,
                        const char *name, struct gpu_type_list *out)
{
    struct type_pool pool = {0};
    struct card_types files = types_of(cycle, gpu, name, NULL, &pool);
    struct card_types all = types_of(cycle, gpu, name, cycle->choices, &pool);
    for (size_t i = 0; i < files.count; i++)
        add(out, gpu, files.items[i].config->type)->of_files = true;
    for (size_t i = 0; i < all.count; i++) {
        struct gpu_type *type = find(out, gpu, all.items[i].config->type);
        if (!type)
            type = add(out, gpu, all.items[i].config->type);
        type->enabled = all.items[i].disabled ? TYPE_DISABLED
                        : type->of_files      ? TYPE_BY_FILES
                                              : TYPE_AT_RUN_TIME;
    }
    card_types_clear(&files);
    card_types_clear(&all);
    type_pool_clear(&pool);
}

static void add_offered(const struct gpu *gpu, struct gpu_type_list *out)
{
    for (size_t i = 0; gpu && i < gpu->parent_count; i++)
        for (size_t j = 0; j < gpu->parents[i].type_count; j++)
            if (!find(out, gpu, gpu->parents[i].types[j].id))
                add(out, gpu, gpu->parents[i].types[j].id);
}

/* ---- how each stands ---- */

static int64_t used_of(const struct observed_provider *provider)
{
    int64_t used = 0;
    for (size_t i = 0; i < provider->allocation_count; i++)
        used += provider->allocations[i].amount;
    return used;
}

static void fill_own(const struct cycle *cycle, const struct desired_provider *desired,
                     const struct observed_provider *provider, struct gpu_type *type)
{
    const struct provider_service *service = plan_service(
        cycle_plan(cycle), provider ? provider->provider.uuid : desired->uuid);
    const struct inventory *inventory =
        provider
            ? class_inventory_find(provider->inventories, provider->inventory_count,
                                   desired->resource_class)
            : NULL;
    type->service = service ? service->service : GPU_WAITING;
    type->reason = service ? xstrdup(service->reason) : NULL;
    type->total += inventory ? inventory->total : 0;
    type->used += provider ? used_of(provider) : 0;
}

/* What was allocated on the provider of the card before it had several types. */
static void fill_rest(const struct observed_provider *provider, struct gpu_type *type)
{
    _cleanup_free_ char *trait = type->id ? trait_custom(type->id) : NULL;
    if (!trait || !strlist_contains(&provider->traits, trait))
        return;
    type->used += used_of(provider);
    type->total += used_of(provider);
}

static void fill_from_placement(const struct cycle *cycle, const struct gpu *gpu,
                                const char *name, struct gpu_type *type)
{
    type->known = true;
    for (size_t i = 0; i < cycle->desired->provider_count; i++) {
        const struct desired_provider *desired = &cycle->desired->providers[i];
        const struct observed_provider *provider =
            desired_observe(cycle->observed, desired);
        if (strcmp(desired->gpu_name, name) != 0)
            continue;
        if (desired->is_card && provider)
            fill_rest(provider, type);
        else if (!desired->is_card &&
                 card_types_is_same(gpu, desired->type_config->type, type->type))
            fill_own(cycle, desired, provider, type);
    }
}

/* Whether somebody has it, or may have it. */
static bool is_held(const struct cycle *cycle, const struct device *device)
{
    const struct journal_device *entry =
        cycle->journal
            ? journal_find_device_at(cycle->journal, device->backend, device->address)
            : NULL;
    if ((entry && !entry->released_at) || !cycle->use || cycle->use->unknown)
        return true;
    return device_use_find(cycle->use, device->address) != NULL;
}

/* A device that is there whoever has it says nothing by that it is there. */
static unsigned count_resident(const struct cycle *cycle, const struct gpu *gpu,
                               const char *type_id)
{
    unsigned count = gpu_device_count(gpu, type_id);
    for (size_t i = 0; type_id && i < gpu->parent_count; i++)
        for (size_t j = 0; j < gpu->parents[i].device_count; j++) {
            const struct device *device = &gpu->parents[i].devices[j];
            count -= !device->in_transition && device->type_id &&
                     strcmp(device->type_id, type_id) == 0 &&
                     backend_is_permanent(device->backend) && !is_held(cycle, device);
        }
    return count;
}

void gpu_types_make(const struct cycle *cycle, const char *name,
                    struct gpu_type_list *out)
{
    const struct gpu *gpu = host_gpu(cycle->host, name);
    *out = (struct gpu_type_list){0};
    add_enabled(cycle, gpu, name, out);
    add_offered(gpu, out);
    for (size_t i = 0; i < out->count; i++) {
        struct gpu_type *type = &out->items[i];
        type->seen = gpu && gpu->health != GPU_UNREADABLE;
        type->devices = type->seen ? count_resident(cycle, gpu, type->id) : 0;
        if (cycle->observed && cycle->desired && !cycle_plan(cycle)->other_root)
            fill_from_placement(cycle, gpu, name, type);
    }
}

void gpu_types_clear(struct gpu_type_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        free(list->items[i].type);
        free(list->items[i].id);
        free(list->items[i].name);
        free(list->items[i].reason);
    }
    free(list->items);
    *list = (struct gpu_type_list){0};
}
