#include "agent/report/gpu_status.h"

#include <string.h>

#include "agent/backend/backend.h"
#include "agent/host/capacity.h"
#include "lib/xalloc.h"

#define NO_ROOT "00000000-0000-0000-0000-000000000000"

/* Whether Placement was read, and has the root provider that the state file belongs
 * to. */
static bool is_known(const struct cycle *cycle)
{
    return cycle->observed && !cycle_plan(cycle)->other_root;
}

/* ---- the numbers ---- */

/* The step of the last round that has written the inventory of the provider with this
 * uuid; NULL: none has. */
static const struct step *find_written(const struct cycle *cycle, const char *provider)
{
    const struct cycle_round *round = &cycle->rounds[cycle->round_count - 1];
    for (size_t i = 0; round->execution && i < round->execution->count; i++) {
        const struct step *step = &round->plan->steps[i];
        if (step->kind == STEP_SET_INVENTORY &&
            round->execution->results[i].outcome == STEP_DONE &&
            strcmp(step->provider, provider) == 0)
            return step;
    }
    return NULL;
}

/* `provider` may be NULL; `uuid` is also that of one that the plan has made. */
static void fill_numbers(const struct cycle *cycle, struct gpu_status *status,
                         const struct observed_provider *provider, const char *uuid)
{
    if (!status->resource_class)
        return;
    const struct step *written = find_written(cycle, uuid);
    const struct inventory *inventory =
        written ? class_inventory_find(written->inventories, written->inventory_count,
                                       status->resource_class)
        : provider
            ? class_inventory_find(provider->inventories, provider->inventory_count,
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

static unsigned count_devices(const struct gpu *gpu)
{
    size_t count = 0;
    for (size_t i = 0; gpu && i < gpu->parent_count; i++)
        count += gpu->parents[i].device_count;
    return (unsigned)count;
}

/* ---- service ---- */

/* When the plan has no service for the provider, the root is missing; the plan's
 * problems say so. */
static void fill_service(const struct cycle *cycle, struct gpu_status *status,
                         const char *provider)
{
    const struct provider_service *found = plan_service(cycle_plan(cycle), provider);
    status->known = true;
    status->service = found ? found->service : GPU_WAITING;
    status->reason = found ? xstrdup(found->reason) : NULL;
    status->wrong = found && found->wrong;
    status->others_reserved = found ? found->others_reserved : 0;
    if (status->service == GPU_WAITING && find_written(cycle, provider))
        status->service = GPU_ACTIVE;
}

/* ---- configured GPUs ---- */

static enum gpu_health health_of(const struct desired_provider *desired)
{
    if (!desired->gpu)
        return GPU_GONE;
    enum gpu_health health = desired->gpu->health;
    return health == GPU_OK && desired->sick ? GPU_UNUSABLE : health;
}

static void fill_from_placement(const struct cycle *cycle,
                                const struct desired_provider *desired,
                                struct gpu_status *status)
{
    const struct observed_provider *provider =
        desired_observe(cycle->observed, desired);
    status->provider_name = xstrdup(desired->name);
    const char *uuid = provider ? provider->provider.uuid : desired->uuid;
    fill_numbers(cycle, status, provider, uuid);
    fill_service(cycle, status, uuid);
}

/* The provider of a card whose types have their own below it is only shown for what is
 * still allocated there. */
static bool is_shown(const struct cycle *cycle, const struct desired_provider *desired)
{
    const struct observed_provider *provider =
        is_known(cycle) ? desired_observe(cycle->observed, desired) : NULL;
    return !desired->is_card || (provider && provider->allocation_count);
}

/* The class of what is left there from the time when the card had one type. */
static const char *class_of_rest(const struct cycle *cycle,
                                 const struct desired_provider *desired)
{
    const struct observed_provider *provider =
        desired->is_card && is_known(cycle) ? desired_observe(cycle->observed, desired)
                                            : NULL;
    return provider && provider->allocation_count
               ? provider->allocations[0].resource_class
               : desired->resource_class;
}

static void add_desired(const struct cycle *cycle, const struct desired_tree *tree,
                        const struct desired_provider *desired,
                        struct gpu_status_list *out)
{
    struct gpu_status *status = array_add(out->items, out->count);
    bool of_parent = tree->mode == MODE_NOVA && desired->view.parent_count == 1;
    status->gpu =
        xstrdup(of_parent ? desired->view.parents[0].name : desired->gpu_name);
    status->card = xstrdup(desired->gpu_name);
    status->type_id =
        xstrdup(desired->type_id ? desired->type_id : desired->type_config->type);
    status->type_name = xstrdup(desired->type_name);
    status->of_type = desired->card_name != NULL;
    status->resource_class = xstrdup(class_of_rest(cycle, desired));
    status->health = health_of(desired);
    status->devices = status->of_type && desired->gpu
                          ? gpu_device_count(desired->gpu, desired->type_id)
                          : count_devices(of_parent ? &desired->view : desired->gpu);
    if (is_known(cycle)) {
        fill_from_placement(cycle, desired, status);
    } else if (desired->sick) {
        status->reason = desired_sick_reason(desired);
        status->wrong = true;
    }
}

/* ---- GPUs of retired providers ---- */

static const char *type_of_devices(const struct gpu *gpu)
{
    for (size_t i = 0; gpu && i < gpu->parent_count; i++)
        for (size_t j = 0; j < gpu->parents[i].device_count; j++)
            if (gpu->parents[i].devices[j].type_id)
                return gpu->parents[i].devices[j].type_id;
    return NULL;
}

/* The status of the card, as its types are configured; NULL: there is none. */
static const struct gpu_status *find_card(const struct gpu_status_list *list,
                                          const char *name)
{
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->items[i].card, name) == 0)
            return &list->items[i];
    return NULL;
}

static bool ends_with_type(const char *provider, const char *type)
{
    _cleanup_free_ char *part = desired_type_part("", type);
    size_t length = strlen(provider), tail = strlen(part);
    return length > tail && strcmp(provider + length - tail, part) == 0;
}

/* The type that a provider was for on a card with several: its name ends with it, as
 * the type was enabled, by its id or its name. */
static const char *type_of_provider(const struct gpu *gpu, const char *name)
{
    for (size_t i = 0; gpu && i < gpu->parent_count; i++)
        for (size_t j = 0; j < gpu->parents[i].type_count; j++) {
            const struct device_type *type = &gpu->parents[i].types[j];
            if (ends_with_type(name, type->id) ||
                (type->name && ends_with_type(name, type->name)))
                return type->id;
        }
    return NULL;
}

/* On a card that has other types now it is a line of its own. Its devices are counted
 * there, unless all of the card's are in the line of its only type. */
static void set_beside(struct gpu_status *status, const struct gpu_status *card,
                       const struct gpu *gpu)
{
    const char *type_id = type_of_provider(gpu, status->provider_name);
    status->of_type = true;
    status->type_id = xstrdup(type_id);
    status->devices =
        card->of_type && type_id && gpu ? gpu_device_count(gpu, type_id) : 0;
}

static void add_retired(const struct cycle *cycle,
                        const struct retired_provider *retired,
                        struct gpu_status_list *out)
{
    bool beside = find_card(out, retired->gpu) != NULL;
    struct gpu_status *status = array_add(out->items, out->count);
    const struct gpu *gpu = host_gpu(cycle->host, retired->gpu);
    const struct observed_provider *provider =
        observed_by_uuid(cycle->observed, retired->uuid);
    status->gpu = xstrdup(retired->gpu);
    status->card = xstrdup(retired->gpu);
    status->provider_name = xstrdup(retired->name);
    if (beside) {
        set_beside(status, find_card(out, retired->gpu), gpu);
    } else {
        status->type_id = xstrdup(type_of_devices(gpu));
        status->devices = count_devices(gpu);
    }
    status->resource_class = xstrdup(retired->resource_class);
    status->health = gpu ? gpu->health : GPU_GONE;
    fill_numbers(cycle, status, provider, retired->uuid);
    fill_service(cycle, status, retired->uuid);
}

/* A provider whose card is gone may be among the retired ones although it is
 * configured. */
static bool is_listed(const struct cycle *cycle, const struct retired_provider *retired)
{
    for (size_t i = 0; i < cycle->desired->provider_count; i++) {
        const struct desired_provider *desired = &cycle->desired->providers[i];
        const struct observed_provider *provider =
            desired_observe(cycle->observed, desired);
        if (provider && strcmp(provider->provider.uuid, retired->uuid) == 0)
            return is_shown(cycle, desired);
    }
    return false;
}

/* ---- GPUs that are not configured ---- */

/* Without Placement it is not known whether the GPU still has a provider. */
static void add_unused(const struct cycle *cycle, const struct gpu *gpu,
                       struct gpu_status_list *out)
{
    struct gpu_status *status = array_add(out->items, out->count);
    status->gpu = xstrdup(gpu->name);
    status->card = xstrdup(gpu->name);
    status->health = gpu->health;
    status->devices = count_devices(gpu);
    status->known = is_known(cycle);
    status->service = GPU_UNUSED;
    _cleanup_free_ char *obstacle = gpu_obstacle(gpu), *remedy = gpu_remedy(gpu);
    if (gpu->health != GPU_OK)
        status->reason = xasprintf("%s: %s: %s", gpu_health_name(gpu->health),
                                   gpu->health_reason, remedy);
    else if (obstacle)
        status->reason = xasprintf("%s: %s", obstacle, remedy);
    if (!status->reason)
        status->reason = xstrdup("no type is configured for it");
}

/* ---- the list ---- */

static void add_configured(const struct cycle *cycle, struct gpu_status_list *out)
{
    _cleanup_(desired_tree_freep) struct desired_tree *names_unknown = NULL;
    const struct desired_tree *tree = cycle->desired;
    if (!tree)
        tree = names_unknown = desired_tree_make_chosen(
            cycle->config, cycle->host, cycle->choices, NO_ROOT, "host");
    for (size_t i = 0; i < tree->provider_count; i++)
        if (is_shown(cycle, &tree->providers[i]))
            add_desired(cycle, tree, &tree->providers[i], out);
}

void gpu_status_make(const struct cycle *cycle, struct gpu_status_list *out)
{
    *out = (struct gpu_status_list){0};
    add_configured(cycle, out);
    const struct plan *plan = cycle->observed ? cycle_plan(cycle) : NULL;
    for (size_t i = 0; plan && i < plan->retired_count; i++)
        if (!is_listed(cycle, &plan->retired[i]))
            add_retired(cycle, &plan->retired[i], out);
    for (size_t i = 0; i < cycle->host->gpu_count; i++)
        if (!find_card(out, cycle->host->gpus[i].name))
            add_unused(cycle, &cycle->host->gpus[i], out);
}

static void clear(struct gpu_status *status)
{
    free(status->gpu);
    free(status->card);
    free(status->provider_name);
    free(status->type_id);
    free(status->type_name);
    free(status->resource_class);
    free(status->reason);
}

void gpu_status_clear(struct gpu_status_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        clear(&list->items[i]);
    free(list->items);
    *list = (struct gpu_status_list){0};
}

void gpu_status_add_problems(const struct gpu_status_list *list,
                             struct problem_list *out)
{
    for (size_t i = 0; i < list->count; i++) {
        const struct gpu_status *gpu = &list->items[i];
        if (!gpu->known && gpu->wrong)
            problems_add_take(out, NULL, xasprintf("%s: %s", gpu->card, gpu->reason));
    }
}

/* ---- joining the entries of a card ---- */

/* Whether the service of `one` is to be shown for a card rather than that of `other`:
 * any service before "unused", and one that is not "active" before "active". */
static bool says_more(const struct gpu_status *one, const struct gpu_status *other)
{
    if (one->service == GPU_UNUSED || other->service == GPU_UNUSED)
        return other->service == GPU_UNUSED && one->service != GPU_UNUSED;
    return one->service != GPU_ACTIVE && other->service == GPU_ACTIVE;
}

static void join(struct gpu_status *card, struct gpu_status *more)
{
    card->total += more->total;
    card->used += more->used;
    card->reserved += more->reserved;
    card->devices += more->devices;
    if (says_more(more, card))
        card->service = more->service;
    card->wrong |= more->wrong;
    if (!card->reason) {
        card->reason = more->reason;
        more->reason = NULL;
    }
    clear(more);
}

void gpu_status_join_cards(struct gpu_status_list *list)
{
    size_t kept = 0;
    for (size_t i = 0; i < list->count; i++) {
        size_t same = list->items[i].of_type ? kept : 0;
        while (same < kept &&
               (list->items[same].of_type ||
                strcmp(list->items[same].card, list->items[i].card) != 0))
            same++;
        if (same < kept)
            join(&list->items[same], &list->items[i]);
        else
            list->items[kept++] = list->items[i];
    }
    list->count = kept;
}
