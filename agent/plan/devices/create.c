#include "agent/plan/devices/create.h"

#include <string.h>

#include "agent/plan/devices/fit.h"
#include "agent/plan/devices/parameters.h"
#include "agent/plan/devices/room.h"
#include "agent/plan/world/managed.h"
#include "agent/plan/world/ownership.h"
#include "agent/plan/world/place.h"
#include "agent/plan/world/want_type.h"
#include "lib/text_copy.h"
#include "lib/xalloc.h"

static void set_state(struct want *want, enum allocation_state state, char *reason)
{
    want->state = state;
    want->planned = false;
    free(want->reason);
    want->reason = reason;
}

static void set_planned(struct want *want, size_t devices)
{
    set_state(want, ALLOCATION_PENDING,
              xasprintf("%zu device%s to be made for it", devices,
                        devices == 1 ? " is" : "s are"));
    want->planned = true;
}

/* ---- the state of an allocation ---- */

static void judge_present(const struct world *world, struct want *want,
                          const struct present *present)
{
    char uuid[UUID_TEXT_SIZE];
    present_identity(present, uuid);
    if (!present->stays)
        strlist_add(&want->devices, uuid);
    if (present->stays && want->state != ALLOCATION_PENDING)
        set_state(
            want, ALLOCATION_MIGRATING,
            xasprintf("it is taken for a migration of %s, whose device %s stands "
                      "for it",
                      present->entry ? present->entry->consumer : present->use->domain,
                      present->device->address));
    else if (present->device->in_transition)
        set_state(want, ALLOCATION_PENDING, xstrdup("a device of it is in transition"));
    else if (want->state == ALLOCATION_READY && !present->stays &&
             parameters_are_due(present)) {
        set_state(want, ALLOCATION_PENDING,
                  xasprintf("the parameters of the device %s are to be written",
                            present->device->address));
        want->planned = true;
    } else if (want->state == ALLOCATION_READY && changes_hands(world, present, want)) {
        set_state(want, ALLOCATION_PENDING,
                  xasprintf("the device %s is to be handed over to it",
                            present->device->address));
        want->planned = true;
    } else if (want->state == ALLOCATION_READY && present->use &&
               (present->use->running || present->use->group_open))
        set_state(want, ALLOCATION_IN_USE, NULL);
}

static void judge(const struct world *world, struct want *want)
{
    const struct group *group = want->group;
    set_state(want, ALLOCATION_READY, NULL);
    for (size_t i = 0; i < group->present_count; i++)
        if (group->present[i].want == want)
            judge_present(world, want, &group->present[i]);
}

static bool lacks_devices(const struct want *want)
{
    for (size_t i = 0; i < want->group->lost_count; i++)
        if (want->group->lost[i].want == want)
            return true;
    return want_missing(want) > 0;
}

/* ---- devices to be made ---- */

/* A description of a device that is to be made for the want; its members are borrowed
 * from the want. */
static struct journal_device order(const struct want *want, unsigned index)
{
    struct journal_device device = {.resource_class = want->allocation->resource_class,
                                    .index = index};
    uuid_text_copy(device.provider, want->managed->uuid);
    uuid_text_copy(device.consumer, want->allocation->consumer);
    return device;
}

/* A lost device gets its old type again as long as the card offers it, since its guest
 * was promised that type. */
static bool place_lost(struct fit *fit, struct want *want, const struct lost *lost)
{
    const struct device_type *type = entry_type(want_place(want), lost->entry);
    if (!type)
        type = want_new_type(want);
    struct journal_device device = order(want, lost->index);
    uuid_text_copy(device.uuid, lost->entry->uuid);
    if (lost->stays) {
        uuid_text_copy(device.consumer, lost->entry->consumer);
        uuid_text_copy(device.migration, want->allocation->consumer);
        device.index = lost->entry->index;
    }
    device.parent = lost->entry->parent;
    device.former = lost->entry->former;
    /* The guest's configuration names the device at this address. */
    if (lost->use && lost->use->domain[0])
        text_copy_array(device.address, lost->entry->address);
    return type && fit_add(fit, want_place(want), type, &device, want);
}

static bool is_named_by_another(struct world *world, const struct want *want,
                                const char *uuid)
{
    if (!world->in->use) {
        world->needs_use = true;
        return false;
    }
    return use_is_anothers(device_use_find(world->in->use, uuid),
                           want->allocation->consumer);
}

/* Finds an index whose computed uuid is not in use: after a migration, a device made
 * for this consumer can belong to another one. A device that is being made or removed
 * may be this one, so the search then waits. */
static bool find_uuid(struct fit *fit, struct world *world, const struct want *want,
                      struct journal_device *device)
{
    for (;; device->index++) {
        device->index = want_free_index(want, device->index);
        want_computed_uuid(want, device->index, device->uuid);
        const struct device *there =
            host_device(world->in->host, device->uuid, NULL, NULL);
        if (journal_find_device(world->in->journal, device->uuid) ||
            strlist_contains(&want->named, device->uuid) ||
            is_named_by_another(world, want, device->uuid))
            continue;
        if (!there)
            return true;
        if (there->in_transition) {
            fit->shortage = "it waits for a device in transition";
            return false;
        }
    }
}

static bool place_new(struct fit *fit, struct world *world, struct want *want,
                      unsigned *next)
{
    const struct device_type *type = want_new_type(want);
    struct journal_device device = order(want, *next);
    if (!type || !find_uuid(fit, world, want, &device))
        return false;
    *next = device.index + 1;
    return fit_add(fit, want_place(want), type, &device, want);
}

/* One that the consumer's domain names gets that uuid again. */
static bool place_named(struct fit *fit, struct want *want, const char *uuid,
                        unsigned *next)
{
    const struct device_type *type = want_new_type(want);
    struct journal_device device = order(want, want_free_index(want, *next));
    *next = device.index + 1;
    uuid_text_copy(device.uuid, uuid);
    return type && fit_add(fit, want_place(want), type, &device, want);
}

static bool place_all(struct fit *fit, struct world *world, struct want *want)
{
    for (size_t i = 0; i < want->group->lost_count; i++)
        if (want->group->lost[i].want == want &&
            !place_lost(fit, want, &want->group->lost[i]))
            return false;
    unsigned next = 0;
    for (size_t i = 0; i < want->named.count; i++)
        if (!place_named(fit, want, want->named.items[i], &next))
            return false;
    for (int64_t missing = want_unnamed(want); missing > 0; missing--)
        if (!place_new(fit, world, want, &next))
            return false;
    return true;
}

/* ---- why devices cannot be made ---- */

static bool is_other_type(const struct want *want, const struct present *present)
{
    const char *own = want->group->several ? want_type_id(want) : NULL;
    if (!present_is_settled(present))
        return false;
    return own ? strcmp(present->device->type_id, own) != 0
               : !present_is_configured(present);
}

static bool has_other_types(const struct want *want)
{
    for (size_t i = 0; i < want->group->present_count; i++)
        if (is_other_type(want, &want->group->present[i]))
            return true;
    return false;
}

static char *no_room(const struct fit *fit, const struct want *want)
{
    const struct world *world = fit->world;
    const struct desired_provider *desired = want->managed->desired;
    const struct device_type *lost = want_lost_type(want);
    const struct device_type *type = lost ? lost : want_new_type(want);
    char *objection = type ? fit_objection(fit, type, want) : NULL;
    if (objection)
        return objection;
    if (lost)
        return xasprintf(
            "its lost device was of the type '%s', of which no instance is "
            "left on this GPU",
            lost->id);
    if (!want_type_id(want) && !desired && want->group->configured)
        return xasprintf("nothing is configured any more that the provider %s is for",
                         want->managed->name);
    if (!want_type_id(want) && (!desired || desired->is_card))
        return xstrdup("no type is configured for this GPU any more");
    if (!want_type_id(want))
        return xasprintf("this GPU does not offer the type '%s'",
                         desired->type_config->type);
    _cleanup_free_ char *rest = ownership_of_rest(world, want->group);
    _cleanup_free_ char *places = places_text(world, want->managed);
    return xasprintf("no instance of the type '%s' is left on this GPU%s%s%s%s",
                     desired && desired->type_id ? desired->type_config->type
                                                 : want_type_id(want),
                     has_other_types(want) ? ": it has devices of another type" : "",
                     rest, places ? "; " : "", places ? places : "");
}

/* Why nothing can be made on the card now; NULL: the card is well. The caller frees. */
static char *sickness(const struct want *want)
{
    const struct desired_provider *desired = want->managed->desired;
    const struct gpu *gpu = want->group->gpu;
    if (!gpu)
        return xstrdup("the GPU is not on this host");
    if (desired && desired->sick)
        return xasprintf("the GPU is not well: %s", desired->sick);
    return gpu->health == GPU_OK
               ? NULL
               : xasprintf("the GPU is not well: %s", gpu_health_name(gpu->health));
}

/* A card that does not answer any more may still have devices listed. */
static bool is_dead(const struct gpu *gpu)
{
    return !gpu || gpu->health == GPU_LOST || gpu->health == GPU_GONE;
}

/* A device that was made for the want while the agent was in owner mode; NULL: there is
 * none. nova-compute does not know of it, and no guest has it. */
static const struct present *left_by_owner(const struct want *want)
{
    for (size_t i = 0; i < want->group->present_count; i++) {
        const struct present *present = &want->group->present[i];
        if (!present->want && present->entry && !present->entry->adopted &&
            entry_is_for(present->entry, want))
            return present;
    }
    return NULL;
}

static void leave_to_nova(struct want *want, bool by_card)
{
    const struct present *left = left_by_owner(want);
    want->at_nova = !left;
    if (left)
        set_state(want, ALLOCATION_FAILED,
                  xasprintf("its device %s was made in owner mode, and in nova mode "
                            "nobody puts it into the guest: set [agent] mode = owner "
                            "again, or rebuild or move the server",
                            left->device->address));
    else
        set_state(want, ALLOCATION_PENDING,
                  xstrdup(by_card ? "nova-compute gives it one of the functions"
                                  : "nova-compute makes its device"));
}

/* ---- units that are given away once ---- */

/* The units that are met, or are to be by this plan. */
static int64_t given(const struct want *want)
{
    return want->allocation->amount - (want->planned ? 0 : want_missing(want));
}

/* Placement holds back what was used; but consumers that leave and come between two
 * looks can be more than there are clean units. Those that are to be met already keep
 * theirs. */
static bool lacks_clean_units(const struct world *world, const struct want *want)
{
    const struct group *group = want->group;
    if (!want_missing(want) || !managed_is_for_one_use(want->managed))
        return false;
    int64_t left = room_clean(world, want->managed) - want_missing(want);
    for (size_t i = 0; i < group->want_count; i++)
        if (group->wants[i].managed == want->managed)
            left -= given(&group->wants[i]);
    return left < 0;
}

/* ---- one allocation at a time ---- */

static void serve(struct fit *fit, struct world *world, struct want *want)
{
    judge(world, want);
    bool lacks = lacks_devices(want);
    char *sick = sickness(want);
    if (sick && (lacks || is_dead(want->group->gpu))) {
        set_state(want, ALLOCATION_FAILED, sick);
        return;
    }
    free(sick);
    if (!lacks)
        return;
    if (!world->owner) {
        leave_to_nova(want, world->by_card);
        return;
    }
    if (lacks_clean_units(world, want)) {
        set_state(want, ALLOCATION_FAILED,
                  xasprintf("what is free on this GPU was used (one_time_use): "
                            "`vgpu-agent clean %s` offers it again",
                            want->managed->gpu));
        return;
    }
    size_t before = fit->count;
    fit->shortage = NULL;
    if (place_all(fit, world, want)) {
        set_planned(want, fit->count - before);
        return;
    }
    fit_cut(fit, before);
    if (fit->shortage)
        set_state(want, ALLOCATION_PENDING, xstrdup(fit->shortage));
    else
        set_state(want, ALLOCATION_FAILED, no_room(fit, want));
}

/* First come the allocations whose every device is noted already, because they had it
 * or because an earlier plan was interrupted before it made it. So the order stays the
 * same until all of them are met. */
void create_devices(struct world *world, struct group *group)
{
    struct fit fit = {.world = world, .group = group};
    for (size_t i = 0; i < group->want_count; i++)
        if (want_missing(&group->wants[i]) == 0)
            serve(&fit, world, &group->wants[i]);
    for (size_t i = 0; i < group->want_count; i++)
        if (want_missing(&group->wants[i]) > 0)
            serve(&fit, world, &group->wants[i]);
    fit_emit(&fit);
}
