#include "agent/plan/nova_provider.h"

#include <string.h>

#include "agent/host/capacity.h"
#include "agent/plan/managed.h"
#include "agent/plan/provider.h"
#include "lib/xalloc.h"

static int64_t total_of(const struct observed_provider *provider,
                        const char *resource_class)
{
    for (size_t i = 0; i < provider->inventory_count; i++)
        if (strcmp(provider->inventories[i].resource_class, resource_class) == 0)
            return provider->inventories[i].inventory.total;
    return 0;
}

/* ---- children that are not there ---- */

/* nova-compute makes no child for more than max_instances devices of a type. */
static bool is_beyond_limit(const struct world *world, const struct subject *subject)
{
    const struct mdev_type_config *type = subject->desired->type_config;
    int64_t sum = subject->desired->capacity;
    for (size_t i = 0; i < world->subject_count; i++) {
        const struct subject *other = &world->subjects[i];
        if (other->desired && other->desired->type_config == type && other->observed)
            sum += total_of(other->observed, type->mdev_class);
    }
    return type->max_instances && sum > type->max_instances;
}

/* Nor for a parent that has nothing to offer: with SR-IOV, a free virtual function of a
 * card that is full. */
static bool is_awaited(const struct world *world, const struct subject *subject)
{
    return !subject->desired->sick && subject->desired->capacity > 0 &&
           !is_beyond_limit(world, subject);
}

/* ---- children that differ from the host ---- */

/* The card is full, and this parent of it has no device. nova-compute leaves such a
 * child with the inventory that it had. */
static bool is_idle_on_full_card(const struct subject *subject)
{
    const struct desired_provider *desired = subject->desired;
    return desired->gpu->parent_count > 1 && desired->capacity == 0 &&
           gpu_device_count(desired->gpu, desired->type_id) > 0;
}

static void complain_of_full_card(struct world *world, const struct subject *subject)
{
    const struct desired_provider *desired = subject->desired;
    _cleanup_free_ char *problem = xasprintf(
        "%s is full, and nova-compute still reports free virtual functions of it: name "
        "no more of them in [mdev_%s] device_addresses than the card takes devices",
        desired->gpu_name, desired->type_config->type);
    strlist_add_unique(&world->plan->problems, problem);
}

/* Of another type than the configured one; NULL: none. */
static const char *foreign_type(const struct gpu *view, const char *type_id)
{
    for (size_t i = 0; i < view->parent_count; i++)
        for (size_t j = 0; j < view->parents[i].mdev_count; j++) {
            const char *found = view->parents[i].mdevs[j].type_id;
            if (found && (!type_id || strcmp(found, type_id) != 0))
                return found;
        }
    return NULL;
}

static void complain_of_total(struct world *world, const struct subject *subject,
                              int64_t total)
{
    const struct desired_provider *desired = subject->desired;
    const char *type = foreign_type(&desired->view, desired->type_id);
    _cleanup_free_ char *devices =
        type ? xasprintf("; its GPU has devices of the type '%s', not of '%s'", type,
                         desired->type_config->type)
             : NULL;
    _cleanup_free_ char *text = xasprintf(
        "nova-compute reports %lld of %s, the host offers %lld: it has not looked "
        "since, or has another type configured%s",
        (long long)total, desired->resource_class, (long long)desired->capacity,
        devices ? devices : "");
    subject_complain(world, subject, text);
}

static void check_inventory(struct world *world, const struct subject *subject)
{
    const struct desired_provider *desired = subject->desired;
    int64_t total = total_of(subject->observed, desired->resource_class);
    if (desired->sick || total == desired->capacity)
        return;
    if (is_idle_on_full_card(subject))
        complain_of_full_card(world, subject);
    else
        complain_of_total(world, subject, total);
}

/* ---- children of parents without a type ---- */

static bool has_parent(const struct world *world, const char *provider_name)
{
    const struct host *host = world->in->host;
    for (size_t i = 0; i < host->gpu_count; i++)
        if (subject_is_nova_name(world, provider_name, &host->gpus[i]))
            return true;
    return false;
}

/* Nova's, and of a type once: our traits go, and nothing of ours is left there. Not
 * while the parent is away: a driver or a virtual function may be back soon. */
static void plan_unconfigured(struct world *world, const struct subject *subject)
{
    if (!has_parent(world, subject->name)) {
        subject_complain(world, subject,
                         "its GPU is not there: nova-compute keeps reporting it");
        return;
    }
    if (subject->noted && subject->noted->traits.count)
        write_traits(world, subject);
    else if (subject->noted)
        world_add_step(world, STEP_FORGET_PROVIDER, subject);
}

static bool is_configured(const struct world *world,
                          const struct observed_provider *provider)
{
    const struct subject *subject = subject_of(world, provider);
    return subject && (subject->desired || subject_is_of_our_making(world, subject));
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

void plan_nova_provider(struct world *world, const struct subject *subject)
{
    if (report_unusable(world, subject))
        return;
    if (!subject->desired) {
        if (!subject_is_of_our_making(world, subject))
            plan_unconfigured(world, subject);
        else if (!prune_provider(world, subject))
            plan_retired(world, subject);
        return;
    }
    report_sick(world, subject);
    if (subject->observed) {
        check_inventory(world, subject);
        write_traits(world, subject);
    } else if (is_awaited(world, subject)) {
        subject_complain(world, subject, "nova-compute has not made it yet");
    }
}
