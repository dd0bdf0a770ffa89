#include "agent/plan/devices/restore.h"

#include <string.h>

#include "agent/backend/backend.h"
#include "agent/plan/devices/fit.h"
#include "agent/plan/world/origin.h"
#include "agent/plan/world/want_type.h"
#include "lib/text_copy.h"
#include "lib/xalloc.h"

static bool is_named_by_domain(struct world *world, const struct journal_device *entry)
{
    if (!world->in->use) {
        world->needs_use = true;
        return false;
    }
    const struct used_device *use = device_use_find(world->in->use, entry->address);
    return use && use->domain[0];
}

static bool is_wanted(struct world *world, const struct journal_device *entry)
{
    return (world->owner && entry->released_at == 0) ||
           is_named_by_domain(world, entry);
}

/* True when a domain may name the device, because not all domains could be read. */
static bool may_be_named(const struct world *world)
{
    return world->in->use && world->in->use->domains_unknown;
}

static void report(struct world *world, const struct journal_device *entry,
                   const char *reason)
{
    strlist_add_take(&world->plan->problems,
                     xasprintf("%s: the device %s of %s cannot be put back: %s",
                               entry->gpu, entry->uuid, entry->consumer, reason));
}

/* Where the device may be made: in owner mode anywhere on the card, preferably where it
 * was; in nova mode only on the group's parent, which has its own provider. */
static struct gpu place_of(const struct world *world, const struct group *group)
{
    struct gpu place = *group->gpu;
    for (size_t i = 0; !world->owner && i < group->gpu->parent_count; i++)
        if (strcmp(group->gpu->parents[i].name, group->key) == 0) {
            place.parents = &group->gpu->parents[i];
            place.parent_count = 1;
        }
    return place;
}

/* ---- devices in the journal ---- */

static void restore_lost(struct world *world, struct fit *fit, const struct gpu *place,
                         const struct journal_device *entry)
{
    struct journal_device device = *entry;
    /* In owner mode the agent may remove what it makes itself. */
    device.adopted = !world->owner;
    const struct device_type *type = entry_type(place, entry);
    _cleanup_free_ char *objection = type ? fit_objection(fit, type, NULL) : NULL;
    fit->shortage = NULL;
    if (!type)
        report(world, entry, "the GPU does not offer its type any more");
    else if (!fit_add(fit, place, type, &device, NULL))
        report(world, entry,
               objection       ? objection
               : fit->shortage ? fit->shortage
                               : "no instance is left");
}

static bool is_ready(const struct group *group)
{
    return group->gpu && group->gpu->health == GPU_OK && group->gpu->parent_count > 0;
}

/* Reports why nothing can be made on the GPU yet. */
static void report_gpu(struct world *world, const struct group *group,
                       const struct journal_device *entry)
{
    _cleanup_free_ char *why =
        !group->gpu ? xstrdup("the GPU is not there")
        : group->gpu->health != GPU_OK
            ? xasprintf("the GPU is not well: %s",
                        group->gpu->health_reason ? group->gpu->health_reason
                                                  : gpu_health_name(group->gpu->health))
            : xasprintf("the GPU offers no %s: its virtual functions are not enabled "
                        "yet, or its driver is not ready",
                        backend_offers(entry->backend));
    report(world, entry, why);
}

/* ---- devices that only a domain names ---- */

static bool is_noted(const struct journal *journal, const char *address)
{
    for (size_t i = 0; i < journal->device_count; i++)
        if (strcmp(journal->devices[i].address, address) == 0)
            return true;
    return false;
}

/* True when a domain names the device, it does not exist and the journal does not have
 * it. */
static bool is_unknown(const struct world *world, const struct used_device *used)
{
    return used->domain[0] && origin_is_unmade(world, used) &&
           !is_noted(world->in->journal, used->address);
}

static bool is_planned(const struct world *world, const struct fit *fit,
                       const char *address)
{
    for (size_t i = 0; i < world->plan->step_count; i++)
        if (strcmp(world->plan->steps[i].device.address, address) == 0)
            return true;
    for (size_t i = 0; fit && i < fit->count; i++)
        if (strcmp(fit->fitted[i].device.address, address) == 0)
            return true;
    return false;
}

static void restore_unknown(struct fit *fit, const struct gpu *place, struct want *want,
                            const char *address)
{
    const char *type_id =
        want->managed->desired ? want->managed->desired->type_id : NULL;
    const struct device_type *type = type_id ? gpu_type(place, type_id) : NULL;
    struct journal_device device = {
        .resource_class = want->allocation->resource_class,
        .index = (unsigned)want->met,
        .adopted = true,
    };
    text_copy_array(device.address, address);
    uuid_text_copy(device.provider, want->managed->uuid);
    uuid_text_copy(device.consumer, want->allocation->consumer);
    if (!uuid_parse_text(address, device.uuid))
        want_computed_uuid(want, device.index, device.uuid);
    if (!type || !fit_add(fit, place, type, &device, want))
        return;
    want->met++;
    free(want->reason);
    want->reason = xstrdup("its device is to be made again");
    want->planned = true;
    want->at_nova = false;
}

static void restore_unknown_of(struct world *world, struct fit *fit,
                               const struct gpu *place, struct want *want)
{
    const struct device_use *use = world->in->use;
    const char *domain = want->allocation->consumer;
    if (want_missing(want) <= 0 ||
        origin_of(world, domain, NULL) != want->managed->observed)
        return;
    for (size_t i = 0; use && i < use->count && want_missing(want) > 0; i++)
        if (strcmp(use->devices[i].domain, domain) == 0 &&
            is_unknown(world, &use->devices[i]) &&
            !is_planned(world, fit, use->devices[i].address))
            restore_unknown(fit, place, want, use->devices[i].address);
}

/* ---- all devices ---- */

void restore_devices(struct world *world, struct group *group)
{
    struct fit fit = {.world = world, .group = group};
    bool ready = is_ready(group);
    struct gpu place = {0};
    if (ready)
        place = place_of(world, group);
    for (size_t i = 0; i < group->lost_count; i++) {
        const struct journal_device *entry = group->lost[i].entry;
        if (!is_wanted(world, entry)) {
            if (may_be_named(world))
                report(world, entry, "it is not known whether a domain names it");
        } else if (!ready)
            report_gpu(world, group, entry);
        else
            restore_lost(world, &fit, &place, entry);
    }
    for (size_t i = 0; !world->owner && ready && i < group->want_count; i++)
        restore_unknown_of(world, &fit, &place, &group->wants[i]);
    fit_emit(&fit);
}

static void report_unknown(struct world *world, const struct used_device *used)
{
    _cleanup_free_ char *why = NULL;
    const struct observed_provider *origin = origin_of(world, used->domain, &why);
    if (origin)
        why = xasprintf("it cannot be made now on %s, where it was",
                        origin->provider.name);
    strlist_add_take(
        &world->plan->problems,
        xasprintf("the domain %s names the device %s, which is not there, and %s",
                  used->domain, used->address, why));
}

void report_unknown_devices(struct world *world)
{
    const struct device_use *use = world->in->use;
    for (size_t i = 0; use && i < use->count; i++)
        if (is_unknown(world, &use->devices[i]) &&
            !is_planned(world, NULL, use->devices[i].address))
            report_unknown(world, &use->devices[i]);
}
