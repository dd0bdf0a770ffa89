#include "agent/plan_restore.h"

#include <string.h>

#include "agent/plan_place.h"
#include "lib/xalloc.h"

static bool is_named_by_domain(struct world *world, const struct journal_device *entry)
{
    if (!world->in->use) {
        world->needs_use = true;
        return false;
    }
    const struct used_device *use = device_use_find(world->in->use, entry->uuid);
    return use && use->domain[0];
}

static bool is_wanted(struct world *world, const struct journal_device *entry)
{
    return world->owner ? entry->released_at == 0 : is_named_by_domain(world, entry);
}

static void complain(struct world *world, const struct journal_device *entry,
                     const char *reason)
{
    strlist_add_take(&world->plan->problems,
                     xasprintf("%s: the device %s of %s cannot be put back: %s",
                               entry->gpu, entry->uuid, entry->consumer, reason));
}

/* In owner mode anywhere on the card, best where it was. In nova mode the parent is the
 * group, and has its own provider. */
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

void restore_devices(struct world *world, struct group *group)
{
    struct placing placing = {.group = group};
    for (size_t i = 0; i < group->lost_count; i++) {
        const struct journal_device *entry = group->lost[i].entry;
        if (!is_wanted(world, entry))
            continue;
        if (!group->gpu || group->gpu->health != GPU_OK) {
            complain(world, entry, "the GPU is not there, or not well");
            continue;
        }
        struct gpu place = place_of(world, group);
        struct journal_device device = *entry;
        /* What the agent makes itself, it may also remove. */
        device.adopted = !world->owner;
        const struct mdev_type *type = place_old_type(&place, entry);
        placing.shortage = NULL;
        if (!type)
            complain(world, entry, "the GPU does not offer its type any more");
        else if (!placing_add(&placing, &place, type, &device, NULL))
            complain(world, entry,
                     placing.shortage ? placing.shortage : "no instance is left");
    }
    placing_emit(&placing, world);
}
