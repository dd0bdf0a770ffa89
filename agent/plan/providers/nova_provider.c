#include "agent/plan/providers/nova_provider.h"

#include <string.h>

#include "agent/host/capacity.h"
#include "agent/plan/providers/provider.h"
#include "agent/plan/providers/prune.h"
#include "agent/plan/providers/service.h"
#include "agent/plan/world/managed.h"
#include "lib/xalloc.h"

static int64_t total_of(const struct observed_provider *provider,
                        const char *resource_class)
{
    const struct inventory *inventory = class_inventory_find(
        provider->inventories, provider->inventory_count, resource_class);
    return inventory ? inventory->total : 0;
}

/* ---- missing children ---- */

/* True when the type's instances on Nova's children together with this parent's exceed
 * max_instances: nova-compute makes no child beyond that. */
static bool is_beyond_limit(const struct world *world, const struct managed *managed)
{
    const struct mdev_type_config *type = managed->desired->type_config;
    int64_t sum = managed->desired->capacity;
    for (size_t i = 0; i < world->managed_count; i++) {
        const struct managed *other = &world->managed[i];
        if (other->desired && other->desired->type_config == type && other->observed)
            sum += total_of(other->observed, type->mdev_class);
    }
    return type->max_instances && sum > type->max_instances;
}

/* True when nova-compute should make a child for the parent. It makes none for a parent
 * that has nothing to offer, for instance a free virtual function of a full card. */
static bool is_awaited(const struct world *world, const struct managed *managed)
{
    return !managed->desired->sick && managed->desired->capacity > 0 &&
           !is_beyond_limit(world, managed);
}

/* ---- children that differ from the host ---- */

/* True when the card is full and this parent of it has no device. nova-compute leaves
 * the child of such a parent with the inventory that it had. */
static bool is_idle_on_full_card(const struct managed *managed)
{
    const struct desired_provider *desired = managed->desired;
    return desired->gpu->parent_count > 1 && desired->capacity == 0 &&
           gpu_device_count(desired->gpu, desired->type_id) > 0;
}

/* The sum of what nova-compute reports for all virtual functions of the card. */
static int64_t reported(const struct world *world, const struct gpu *gpu)
{
    int64_t sum = 0;
    for (size_t i = 0; i < world->managed_count; i++) {
        const struct managed *managed = &world->managed[i];
        if (managed->desired && managed->observed && managed->desired->gpu == gpu)
            sum += total_of(managed->observed, managed->desired->resource_class);
    }
    return sum;
}

static bool is_overbooked(const struct world *world, const struct managed *managed)
{
    const struct desired_provider *desired = managed->desired;
    return reported(world, desired->gpu) >
           gpu_limit_below(desired->gpu, desired->gpu, desired->type_id);
}

static char *full_card_text(const struct managed *managed)
{
    const struct desired_provider *desired = managed->desired;
    return xasprintf("nova-compute reports more virtual functions of it than it takes "
                     "devices of '%s': name no more of them in [mdev_%s] "
                     "device_addresses",
                     desired->type_config->type, desired->type_config->type);
}

/* The type of a device below the view that is not of the configured type; NULL: there
 * is none. */
static const char *foreign_type(const struct gpu *view, const char *type_id)
{
    for (size_t i = 0; i < view->parent_count; i++)
        for (size_t j = 0; j < view->parents[i].device_count; j++) {
            const char *found = view->parents[i].devices[j].type_id;
            if (found && (!type_id || strcmp(found, type_id) != 0))
                return found;
        }
    return NULL;
}

static char *total_text(const struct managed *managed, int64_t total)
{
    const struct desired_provider *desired = managed->desired;
    const char *type = foreign_type(&desired->view, desired->type_id);
    _cleanup_free_ char *devices =
        type ? xasprintf("; its GPU has devices of the type '%s', not of '%s'", type,
                         desired->type_config->type)
             : NULL;
    return xasprintf(
        "nova-compute reports %lld of %s, the host offers %lld: it has not looked "
        "since, or has another type configured%s",
        (long long)total, desired->resource_class, (long long)desired->capacity,
        devices ? devices : "");
}

static void add_observed(struct world *world, const struct managed *managed)
{
    const struct desired_provider *desired = managed->desired;
    const char *type = foreign_type(&desired->view, desired->type_id);
    int64_t total = total_of(managed->observed, desired->resource_class);
    if (is_idle_on_full_card(managed) && total > 0)
        service_add_take(world, managed, GPU_TAKEN, full_card_text(managed), true);
    else if (is_idle_on_full_card(managed))
        service_add_take(world, managed, GPU_UNUSED, NULL, false);
    else if (total != desired->capacity)
        service_add_take(world, managed, GPU_ACTIVE, total_text(managed, total), true);
    else if (total == 0 && type)
        service_add_take(
            world, managed, GPU_TAKEN,
            xasprintf("its devices of the type '%s' leave no room for '%s'", type,
                      desired->type_config->type),
            true);
    else if (is_overbooked(world, managed))
        service_add_take(world, managed, GPU_TAKEN, full_card_text(managed), true);
    else
        service_add(world, managed, NULL);
}

/* Adds why a provider is missing, unless it is meant to be missing. */
static void add_missing(struct world *world, const struct managed *managed)
{
    if (is_awaited(world, managed))
        service_add_take(world, managed, GPU_WAITING,
                         xstrdup("nova-compute has not made it yet: it does so when it "
                                 "has the same [devices] and is started anew"),
                         true);
    else
        service_add_take(world, managed, GPU_UNUSED, NULL, false);
}

/* ---- children of parents without a type ---- */

static bool has_parent(const struct world *world, const char *provider_name)
{
    const struct host *host = world->in->host;
    for (size_t i = 0; i < host->gpu_count; i++)
        if (managed_is_nova_name(world, provider_name, &host->gpus[i]))
            return true;
    return false;
}

/* Handles a child of Nova's whose parent had a configured type before: the agent
 * removes its traits. It does not do so while the parent is away: a driver or a virtual
 * function may be back soon. */
static void plan_unconfigured(struct world *world, const struct managed *managed)
{
    if (!has_parent(world, managed->name)) {
        managed_problem(world, managed,
                        "its GPU is not there: nova-compute keeps reporting it");
        return;
    }
    if (managed->noted && managed->noted->traits.count)
        write_traits(world, managed);
    else if (managed->noted)
        world_add_step(world, STEP_FORGET_PROVIDER, managed)->reason =
            xstrdup("no type is configured for its GPU any more, and nothing on it is "
                    "the agent's");
}

static bool is_configured(const struct world *world,
                          const struct observed_provider *provider)
{
    const struct managed *managed = managed_of(world, provider);
    return managed && (managed->desired || managed_is_of_our_making(world, managed));
}

void report_unconfigured(struct world *world)
{
    const struct observed *observed = world->in->observed;
    for (size_t i = 0; i < observed->provider_count; i++) {
        const struct observed_provider *provider = &observed->providers[i];
        if (!provider->inventory_count || is_configured(world, provider) ||
            !has_parent(world, provider->provider.name))
            continue;
        strlist_add_take(
            &world->plan->problems,
            xasprintf("%s: nova-compute reports it, but no type is configured for its "
                      "GPU: it gets no traits",
                      provider->provider.name));
    }
}

/* ---- one child ---- */

void plan_nova_provider(struct world *world, const struct managed *managed)
{
    const struct desired_provider *desired = managed->desired;
    if (report_unusable(world, managed))
        return;
    if (!desired && !managed_is_of_our_making(world, managed)) {
        plan_unconfigured(world, managed);
        return;
    }
    if (!desired) {
        if (!prune_provider(world, managed))
            service_add_take(world, managed, GPU_RETIRED,
                             xstrdup("left over from owner mode: it is not Nova's, and "
                                     "reports its GPU a second time until it is pruned "
                                     "(`vgpu-agent prune`)"),
                             true);
        return;
    }
    if (desired->sick || !desired->type_id)
        service_add(world, managed, NULL);
    else if (managed->observed)
        add_observed(world, managed);
    else
        add_missing(world, managed);
    if (managed->observed)
        write_traits(world, managed);
}
