#include "agent/plan/devices/room.h"

#include <string.h>

#include "agent/host/capacity.h"
#include "agent/plan/devices/by_hand.h"
#include "agent/plan/world/managed.h"
#include "agent/plan/world/place.h"
#include "agent/plan/world/several.h"
#include "agent/plan/world/want_type.h"

static int64_t at_most(int64_t number, int64_t cap)
{
    return number > cap ? cap : number;
}

/* Counts the devices of the provider's type that are in use without an allocation and
 * can be given to nobody. That includes devices whose allocation has just gone, as long
 * as somebody has them; but not those whose unit is spent, which stay in the total and
 * are reserved. */
static int64_t count_taken(const struct world *world, const struct managed *managed)
{
    const struct group *group = managed->group;
    int64_t count = 0;
    for (size_t i = 0; i < group->present_count; i++) {
        const struct present *present = &group->present[i];
        count += !present->want && present_is_of(present, managed) &&
                 !managed_has_spent(managed, present) &&
                 (present->hand || present_is_used(world, present) ||
                  present_is_out_of_sight(world, present));
    }
    return count;
}

/* Counts the want's units that are met by devices of other types, below other parents,
 * or in transition, or on a card with several types are to be: the capacity does not
 * include these devices. */
static int64_t count_other(const struct managed *managed, const struct want *want)
{
    const struct group *group = want->group;
    int64_t count = 0;
    for (size_t i = 0; i < group->present_count; i++) {
        const struct present *present = &group->present[i];
        count += present->want == want &&
                 (present->device->in_transition || !present_is_of(present, managed));
    }
    if (group->several)
        count += want_to_be_made_of_others(want, managed);
    return count;
}

/* Counts the devices that are being removed and whose unit is spent: they are reserved
 * already, so the card's limit is not to lose them a second time. */
static int64_t count_leaving_spent(const struct managed *managed)
{
    const struct group *group = managed->group;
    int64_t count = 0;
    for (size_t i = 0; i < group->present_count; i++) {
        const struct present *present = &group->present[i];
        count += present->device->in_transition && present->device->leaving &&
                 managed_has_spent(managed, present);
    }
    return count;
}

/* The devices of the type that exist and those that can certainly still be made,
 * without those in transition: during a slow create, available_instances still counts
 * the instance. With SR-IOV a free VF shows an instance even if the card is full, so
 * only the card's limit counts, whichever of its functions have devices. */
static int64_t certain_capacity(const struct world *world,
                                const struct managed *managed)
{
    const struct desired_provider *desired = managed->desired;
    const struct group *group = managed->group;
    int64_t capacity =
        at_most(desired->capacity,
                gpu_capacity_without(&desired->view, desired->type_id,
                                     (unsigned)places_taken(world, managed))) -
        group_in_transit(group, NULL, true);
    int64_t limit = gpu_limit_below(desired->gpu, &desired->view, desired->type_id) -
                    group_in_transit(group, NULL, false) + count_leaving_spent(managed);
    return at_most(at_most(capacity, limit),
                   group_limit_beside(group, desired->type_id));
}

int64_t room_left(const struct world *world, const struct managed *managed)
{
    const struct group *group = managed->group;
    if (!group || !managed->desired->gpu)
        return managed->desired->capacity;
    int64_t left =
        managed_makes_other_type(managed) || by_hand_makes_other_type(world, managed)
            ? gpu_device_count(&managed->desired->view, managed->desired->type_id)
            : certain_capacity(world, managed);
    left -= count_taken(world, managed) + by_hand_units(world, managed);
    for (size_t i = 0; i < group->want_count; i++) {
        const struct want *want = &group->wants[i];
        bool own =
            want->managed == managed && strcmp(want->allocation->resource_class,
                                               managed->desired->resource_class) == 0;
        int64_t other = count_other(managed, want);
        left += own ? other : other - want->allocation->amount;
    }
    return left;
}

int64_t room_clean(const struct world *world, const struct managed *managed)
{
    return room_left(world, managed) - managed_spent(world, managed);
}
