#include "agent/plan/devices/release.h"

#include <inttypes.h>
#include <string.h>

#include "agent/backend/backend.h"
#include "agent/plan/devices/device_reason.h"
#include "agent/plan/world/managed.h"
#include "agent/plan/world/ownership.h"
#include "lib/text_copy.h"
#include "lib/xalloc.h"

bool release_spends(const struct world *world, const struct group *group,
                    const struct journal_device *entry)
{
    for (size_t i = 0; i < world->managed_count; i++) {
        const struct managed *managed = &world->managed[i];
        if (managed->group == group && strcmp(managed->uuid, entry->provider) == 0)
            return managed_is_for_one_use(managed);
    }
    return group->configured && managed_is_for_one_use(group->configured);
}

static struct step *add_device_step(struct world *world, enum step_kind kind,
                                    const struct group *group,
                                    const struct journal_device *device)
{
    struct step *step = world_add_step(world, kind, NULL);
    step->gpu = xstrdup(group->gpu ? group->gpu->name : device->gpu);
    uuid_text_copy(step->provider, device->provider);
    const struct observed_provider *provider =
        world->in->observed ? observed_by_uuid(world->in->observed, device->provider)
                            : NULL;
    step->provider_name = provider ? xstrdup(provider->provider.name) : NULL;
    step->device = journal_device_copy(device);
    const struct device *there =
        host_device(world->in->host, device->address, NULL, NULL);
    if (there)
        step->functions = strlist_copy(&there->functions);
    step->spends = (kind == STEP_REMOVE_DEVICE || kind == STEP_FORGET_DEVICE) &&
                   release_spends(world, group, device);
    return step;
}

/* ---- devices that meet an allocation ---- */

static void note_owner(struct journal_device *entry, const struct present *present,
                       const struct want *want)
{
    present_identity(present, entry->uuid);
    uuid_text_copy(entry->provider, want->managed->uuid);
    if (strcmp(entry->consumer, want->allocation->consumer) != 0) {
        entry->parameters = NULL; /* they were the former consumer's */
        entry->parameters_due = false;
    }
    uuid_text_copy(entry->consumer, want->allocation->consumer);
    entry->migration[0] = 0;
    entry->resource_class = want->allocation->resource_class;
    entry->index = present->index;
    if (!present->entry || present->computed)
        entry->adopted = !present->computed;
}

/* The entry that the journal is to have for the device; borrowed. For a device in
 * transition the type and perhaps the parent are not known. */
static struct journal_device entry_of(const struct present *present,
                                      const struct want *want)
{
    struct journal_device entry =
        present->entry ? *present->entry : (struct journal_device){0};
    if (present->stays)
        uuid_text_copy(entry.migration, want->allocation->consumer);
    else
        note_owner(&entry, present, want);
    entry.released_at = 0;
    text_copy_array(entry.backend, present->device->backend);
    text_copy_array(entry.address, present->device->address);
    if (present_is_settled(present)) {
        const struct device_type *type =
            gpu_type(present->gpu, present->device->type_id);
        /* Where the type's name cannot be read, the entry keeps the name that was
         * known. */
        if ((type && type->name) || present->gpu->health == GPU_OK)
            entry.type_name = type ? type->name : NULL;
        entry.gpu = present->gpu->name;
        entry.parent = present->parent->name;
        entry.type_id = present->device->type_id;
    }
    return entry;
}

static void take(struct world *world, struct group *group,
                 const struct present *present, const struct journal_device *entry)
{
    if (!changes_hands(world, present, present->want)) {
        add_device_step(world, STEP_TAKE_DEVICE, group, entry)->reason =
            reason_of_taking(present, present->want, entry);
        return;
    }
    add_device_step(world, STEP_HAND_OVER_DEVICE, group, entry)->reason =
        reason_of_handing_over(present);
}

void take_devices(struct world *world, struct group *group)
{
    for (size_t i = 0; i < group->present_count; i++) {
        const struct present *present = &group->present[i];
        if (!present->want)
            continue;
        struct journal_device entry = entry_of(present, present->want);
        if (!present->entry || !journal_device_equal(present->entry, &entry))
            take(world, group, present, &entry);
    }
}

/* ---- surplus devices ---- */

/* Why the device is kept although no allocation needs it; NULL: it may be removed. */
static const char *why_not_remove(const struct world *world,
                                  const struct present *present)
{
    const struct plan_input *in = world->in;
    if (!present_is_settled(present))
        return "it is in transition";
    if (in->journal->rebuilding)
        return "the state file is being rebuilt";
    if (in->now < in->keep_until)
        return "Placement's database was replaced, and may still get its allocation "
               "back";
    if (!present->gpu || present->gpu->health != GPU_OK)
        return "the GPU is not well";
    if (!in->use)
        return "who uses it is not known";
    if (present_domain(present))
        return "a libvirt domain names it";
    if (present->use && present->use->group_open)
        return "a process has its VFIO group open";
    if (present->use)
        return "mdevctl defines it";
    return in->use->unknown ? "who uses it cannot be read" : NULL;
}

/* The status to which another device of the same former allocation was added; NULL:
 * there is none. */
static struct allocation_status *find_releasing(struct plan *plan,
                                                const struct journal_device *entry)
{
    for (size_t i = 0; i < plan->allocation_count; i++) {
        struct allocation_status *status = &plan->allocations[i];
        if (status->state == ALLOCATION_RELEASING &&
            strcmp(status->consumer, entry->consumer) == 0 &&
            strcmp(status->provider, entry->provider) == 0 &&
            strcmp(status->resource_class, entry->resource_class) == 0)
            return status;
    }
    return NULL;
}

/* Adds the device to the status of its former allocation, which has one status however
 * many devices it had. Returns false when there is none yet. */
static bool join_releasing(struct plan *plan, const struct journal_device *entry,
                           const char *reason)
{
    struct allocation_status *status = find_releasing(plan, entry);
    if (!status)
        return false;
    strlist_add(&status->devices, entry->uuid);
    if (!strstr(status->reason, reason)) {
        char *both = xasprintf("%s; %s", status->reason, reason);
        free(status->reason);
        status->reason = both;
    }
    return true;
}

static void add_releasing(struct world *world, const struct journal_device *entry,
                          const char *reason)
{
    if (join_releasing(world->plan, entry, reason))
        return;
    const struct observed_provider *provider =
        observed_by_uuid(world->in->observed, entry->provider);
    struct allocation_status *status =
        array_add(world->plan->allocations, world->plan->allocation_count);
    uuid_text_copy(status->consumer, entry->consumer);
    uuid_text_copy(status->provider, entry->provider);
    status->provider_name = provider ? xstrdup(provider->provider.name) : NULL;
    status->gpu = xstrdup(entry->gpu);
    status->resource_class = xstrdup(entry->resource_class);
    strlist_add(&status->devices, entry->uuid);
    status->state = ALLOCATION_RELEASING;
    status->reason = xstrdup(reason);
}

static void wake(struct plan *plan, int64_t at)
{
    if (!plan->wake_at || at < plan->wake_at)
        plan->wake_at = at;
}

/* Waits for the end of the grace period. A release time in the future was written
 * before the clock went back: the grace period then starts again, so that the device
 * does not wait until that time. */
static void wait_for_grace(struct world *world, const struct group *group,
                           const struct journal_device *entry)
{
    int64_t grace = world->in->config->agent.release_grace;
    int64_t now = world->in->now > 0 ? world->in->now : 1;
    if (entry->released_at && entry->released_at <= now) {
        wake(world->plan, entry->released_at + grace);
        return;
    }
    struct step *step = add_device_step(world, STEP_MARK_RELEASED, group, entry);
    step->device.released_at = now;
    step->reason = xasprintf(
        "its allocation is gone, and release_grace (%" PRId64 " s) begins", grace);
    step->device.migration[0] = 0;
    wake(world->plan, now + grace);
}

/* Adds the step that removes a surplus device. The step's provider is asked for the
 * allocations once more right before the removal: it is the entry's provider or, where
 * that does not exist, the GPU's. */
static struct step *remove_surplus(struct world *world, struct group *group,
                                   const struct journal_device *entry)
{
    struct step *step = add_device_step(world, STEP_REMOVE_DEVICE, group, entry);
    step->reason = reason_of_removal(entry, world->in->now);
    /* What it leaves is also the card's other types'. */
    world->plan->goes_on |= group->several;
    const struct observed_provider *provider =
        observed_by_uuid(world->in->observed, entry->provider);
    if (!provider)
        provider = group->configured ? group->configured->observed : NULL;
    step->provider[0] = 0;
    for (size_t i = 0; provider && i < provider->allocation_count; i++)
        if (strcmp(provider->allocations[i].consumer, entry->consumer) == 0 &&
            strcmp(provider->allocations[i].resource_class, entry->resource_class) == 0)
            step->units += provider->allocations[i].amount;
    if (provider)
        uuid_text_copy(step->provider, provider->provider.uuid);
    return step;
}

static void release(struct world *world, struct group *group,
                    const struct present *present)
{
    /* Also kept where the plan creates the provider again: it must be read first. */
    if (!observed_by_uuid(world->in->observed, present->entry->provider)) {
        add_releasing(world, present->entry, "its provider is not in Placement");
        return;
    }
    if (present_is_foreign(present)) {
        if (present_is_settled(present))
            add_device_step(world, STEP_FORGET_DEVICE, group, present->entry)->reason =
                xstrdup("somebody else made it");
        return;
    }
    if (!present_is_overdue(world, present)) {
        wait_for_grace(world, group, present->entry);
        add_releasing(world, present->entry,
                      present->use ? why_not_remove(world, present)
                                   : "the grace period runs");
        return;
    }
    if (!world->in->use)
        world->needs_use = true;
    const char *reason = why_not_remove(world, present);
    add_releasing(world, present->entry, reason ? reason : "it is being removed");
    if (!reason)
        (void)remove_surplus(world, group, present->entry);
}

/* True when devices that are not seen are certainly gone. On a GPU that cannot be read
 * they need not be gone; on a GPU that is not on the host they are, if no provider
 * belongs to it any more. One that cannot be given away now was read. */
static bool is_gone_for_good(const struct group *group)
{
    return group->gpu
               ? group->gpu->health == GPU_OK || group->gpu->health == GPU_UNUSABLE
               : !group->has_managed;
}

/* A device that is not seen any more is forgotten; where parts of it may remain, it is
 * removed first, which ends them. */
static void drop_lost(struct world *world, struct group *group,
                      const struct journal_device *entry)
{
    if (!backend_leaves_parts(entry->backend) || entry->adopted) {
        add_device_step(world, STEP_FORGET_DEVICE, group, entry)->reason =
            xstrdup("the device is gone");
        return;
    }
    if (world->in->journal->rebuilding || world->in->now < world->in->keep_until)
        return;
    struct step *step = remove_surplus(world, group, entry);
    free(step->reason);
    step->reason = xstrdup("a part of it may be left");
}

/* As long as a provider of the card is not read nothing is removed. That an allocation
 * has gone is noted all the same where its own provider was read: else the consumer
 * that comes next, alone by then, would be taken for its migration
 * (agent/plan/world/migration.h). */
static void note_departed(struct world *world, const struct group *group)
{
    for (size_t i = 0; i < group->present_count; i++) {
        const struct present *present = &group->present[i];
        const struct observed_provider *provider =
            present->entry && !present->want && world->in->observed
                ? observed_by_uuid(world->in->observed, present->entry->provider)
                : NULL;
        if (provider && provider->detailed && !present_is_foreign(present))
            wait_for_grace(world, group, present->entry);
    }
}

void release_devices(struct world *world, struct group *group)
{
    if (group->hands_off)
        return;
    if (!group->read) {
        note_departed(world, group);
        return;
    }
    for (size_t i = 0; i < group->present_count; i++)
        if (group->present[i].entry && !group->present[i].want)
            release(world, group, &group->present[i]);
    if (!is_gone_for_good(group))
        return;
    for (size_t i = 0; i < group->lost_count; i++)
        if (!group->lost[i].want)
            drop_lost(world, group, group->lost[i].entry);
}
