#include "agent/plan/devices/nova_notes.h"

#include <string.h>

#include "lib/text_copy.h"
#include "lib/xalloc.h"

static bool is_noted_as(const struct group *group, const struct present *present)
{
    return present->entry &&
           strcmp(present->entry->consumer, present_domain(present)) == 0 &&
           strcmp(present->entry->provider, group->configured->uuid) == 0;
}

static bool is_index_taken(const struct world *world, const struct group *group,
                           const char *domain, unsigned index)
{
    const struct journal *journal = world->in->journal;
    for (size_t i = 0; i < journal->device_count; i++)
        if (journal->devices[i].index == index &&
            strcmp(journal->devices[i].consumer, domain) == 0 &&
            strcmp(journal->devices[i].provider, group->configured->uuid) == 0)
            return true;
    return false;
}

/* The index of a device: a noted one keeps its index, new ones of the same domain get
 * the next free indexes. */
static unsigned number_of(const struct world *world, const struct group *group,
                          size_t position)
{
    const struct present *present = &group->present[position];
    if (is_noted_as(group, present))
        return present->entry->index;
    size_t before = 0;
    for (size_t i = 0; i < position; i++)
        before +=
            present_domain(&group->present[i]) &&
            strcmp(present_domain(&group->present[i]), present_domain(present)) == 0 &&
            !is_noted_as(group, &group->present[i]);
    unsigned index = 0;
    while (is_index_taken(world, group, present_domain(present), index) || before-- > 0)
        index++;
    return index;
}

/* Adds a step that concerns a device, and takes ownership of `reason`. */
static void add_step_take(struct world *world, enum step_kind kind,
                          const struct group *group,
                          const struct journal_device *device, char *reason)
{
    struct step *step = world_add_step(world, kind, group->configured);
    if (!group->configured)
        step->gpu = xstrdup(device->gpu);
    step->device = journal_device_copy(device);
    step->reason = reason;
}

static bool is_uuid_taken(const struct world *world, const char *uuid)
{
    for (size_t i = 0; i < world->plan->step_count; i++)
        if (strcmp(world->plan->steps[i].device.uuid, uuid) == 0)
            return true;
    return journal_find_device(world->in->journal, uuid);
}

/* Sets the uuid of the entry. A device that the host identifies only by its address
 * gets the uuid that is computed from its index. That uuid may be noted for another
 * device already: then the next index is used. */
static void set_uuid(const struct world *world, const struct present *present,
                     struct journal_device *entry)
{
    uuid_text_copy(entry->uuid,
                   present->entry ? present->entry->uuid : present->device->uuid);
    for (; !*entry->uuid; entry->index++) {
        char uuid[UUID_TEXT_SIZE];
        computed_uuid(entry->provider, entry->consumer, entry->resource_class,
                      entry->index, uuid);
        if (is_uuid_taken(world, uuid))
            continue;
        uuid_text_copy(entry->uuid, uuid);
        return;
    }
}

static void note_device(struct world *world, const struct group *group, size_t position)
{
    const struct present *present = &group->present[position];
    const struct device_type *type = gpu_type(present->gpu, present->device->type_id);
    struct journal_device entry = {
        .resource_class = group->configured->desired->resource_class,
        .index = number_of(world, group, position),
        .gpu = present->gpu->name,
        .parent = present->parent->name,
        .type_id = present->device->type_id,
        .adopted = present->entry ? present->entry->adopted : true,
    };
    /* Where the type's name cannot be read, the entry keeps the name that was known. */
    if (type && type->name)
        entry.type_name = type->name;
    else if (present->entry && present->gpu->health != GPU_OK)
        entry.type_name = present->entry->type_name;
    text_copy_array(entry.backend, present->device->backend);
    text_copy_array(entry.address, present->device->address);
    uuid_text_copy(entry.provider, group->configured->uuid);
    uuid_text_copy(entry.consumer, present_domain(present));
    set_uuid(world, present, &entry);
    if (!present->entry || !journal_device_equal(present->entry, &entry))
        add_step_take(
            world, STEP_TAKE_DEVICE, group, &entry,
            xasprintf("the domain %s has it, and the state file %s",
                      present_domain(present),
                      present->entry ? "tells otherwise of it" : "does not have it"));
}

void note_nova_devices(struct world *world, struct group *group)
{
    for (size_t i = 0; i < group->present_count; i++) {
        const struct present *present = &group->present[i];
        if (!present_is_settled(present) || present->hand)
            continue;
        if (present_domain(present) && group->configured)
            note_device(world, group, i);
        else if (!present_domain(present) && present->entry &&
                 present->entry->adopted && !present_is_used(world, present))
            add_step_take(world, STEP_FORGET_DEVICE, group, present->entry,
                          xstrdup("no domain names it any more"));
    }
    for (size_t i = 0; i < group->lost_count; i++) {
        const struct journal_device *entry = group->lost[i].entry;
        bool unknown = !world->in->use || world->in->use->unknown;
        if (!unknown && !device_use_find(world->in->use, entry->address))
            add_step_take(world, STEP_FORGET_DEVICE, group, entry,
                          xstrdup("the device is gone, and no domain names it"));
    }
}
