#include "agent/plan/providers/taken.h"

#include "agent/host/capacity.h"
#include "agent/plan/world/place.h"
#include "lib/xalloc.h"

/* The number of devices that a reason names. */
#define NAMED_MAX 3

/* The ways in which a device that meets no allocation takes room from others. */
enum taking {
    TAKES_NOTHING,
    IS_MADE_BY_HAND,
    IS_OF_OTHER_TYPE,
    IS_IN_USE,
    IS_ANOTHER_KINDS,
    MAY_BE_IN_USE,
    IS_OUT_OF_SIGHT,
    TAKINGS,
};

static enum taking taking_of(const struct world *world, const struct present *present)
{
    if (present->want || !present_is_settled(present))
        return TAKES_NOTHING;
    if (present->hand)
        return IS_MADE_BY_HAND;
    if (!present_is_configured(present))
        return IS_OF_OTHER_TYPE;
    if (present->use)
        return IS_IN_USE;
    if (present->other_kind)
        return IS_ANOTHER_KINDS;
    if (present_is_used(world, present))
        return MAY_BE_IN_USE;
    return present_is_out_of_sight(world, present) ? IS_OUT_OF_SIGHT : TAKES_NOTHING;
}

/* The devices that take room in one way, as text: "2 of the type 'nvidia-35' (...)".
 * NULL: there are none. The caller frees. */
static char *taken_by(const struct world *world, const struct group *group,
                      enum taking taking)
{
    _cleanup_strlist_ struct strlist names = {0};
    const char *type = NULL;
    size_t count = 0;
    for (size_t i = 0; group && i < group->present_count; i++) {
        const struct present *present = &group->present[i];
        if (taking_of(world, present) != taking)
            continue;
        type = present->device->type_id;
        if (++count <= NAMED_MAX)
            strlist_add(&names, present->device->address);
    }
    _cleanup_free_ char *listed = strlist_join(&names, ", ");
    return count ? xasprintf("%zu of the type '%s' (%s%s)", count, type, listed,
                             count > NAMED_MAX ? ", ..." : "")
                 : NULL;
}

static char *taking_text(enum taking taking, const char *configured,
                         const char *devices)
{
    switch (taking) {
    case IS_OF_OTHER_TYPE:
        return xasprintf("devices that nobody was given leave no room for '%s', %s: "
                         "remove them, or configure their type",
                         configured, devices);
    case IS_MADE_BY_HAND:
        return xasprintf("devices that were made by hand have the room, %s: it is "
                         "offered again when they are removed (`vgpu-agent remove`)",
                         devices);
    case IS_IN_USE:
        return xasprintf("devices without an allocation are in use, %s: they are "
                         "offered again when the guest, the process or mdevctl that "
                         "has them lets them go",
                         devices);
    case IS_ANOTHER_KINDS:
        return xasprintf(
            "consumers still have devices of another kind at the addresses "
            "of others, %s: these are offered when nothing is allocated "
            "to them any more",
            devices);
    case MAY_BE_IN_USE:
        return xasprintf("who uses the devices without an allocation cannot be seen, "
                         "%s: they count as taken until it can",
                         devices);
    case IS_OUT_OF_SIGHT:
        return xasprintf(
            "devices are of a provider that is not in Placement's tree, or "
            "was not read, %s: they count as taken until it is",
            devices);
    case TAKES_NOTHING:
    case TAKINGS:
        break;
    }
    return NULL;
}

char *taken_places(const struct world *world, const struct managed *managed)
{
    _cleanup_free_ char *text = places_text(world, managed);
    return text ? xasprintf("%s: they are offered again when they are let go", text)
                : NULL;
}

/* The most devices of the type; INT64_MAX: not known. A virtual function has one. */
static int64_t most_devices(const struct managed *managed)
{
    const struct desired_provider *desired = managed->desired;
    int64_t most = gpu_limit_below(desired->gpu, &desired->view, desired->type_id);
    int64_t functions = (int64_t)desired->view.parent_count;
    return desired->gpu->parent_count > 1 && functions < most ? functions : most;
}

/* Whether what was made by hand, beside what is allocated, has all the room that the card
 * has for the type. */
static bool has_room_by_hand(const struct world *world, const struct managed *managed)
{
    const struct group *group = managed->group;
    int64_t by_hand = 0, met = 0;
    bool other_type = false;
    for (size_t i = 0; group && i < group->present_count; i++)
        if (taking_of(world, &group->present[i]) == IS_MADE_BY_HAND) {
            by_hand++;
            other_type |= !present_is_configured(&group->present[i]);
        }
    for (size_t i = 0; group && i < group->want_count; i++)
        met += group->wants[i].met;
    if (!by_hand || other_type || !managed->desired->gpu)
        return by_hand > 0;
    return by_hand + met >= most_devices(managed);
}

/* All devices that take room, as text; "": there are none. The caller frees. */
static char *takings(const struct world *world, const struct managed *managed)
{
    _cleanup_strlist_ struct strlist texts = {0};
    for (int i = TAKES_NOTHING + 1; i < TAKINGS; i++) {
        _cleanup_free_ char *devices = taken_by(world, managed->group, (enum taking)i);
        if (devices && (i != IS_MADE_BY_HAND || has_room_by_hand(world, managed)))
            strlist_add_take(&texts,
                             taking_text((enum taking)i,
                                         managed->desired->type_config->type, devices));
    }
    char *places = taken_places(world, managed);
    if (places)
        strlist_add_take(&texts, places);
    return strlist_join(&texts, "; ");
}

/* Whether the allocation is of a time when the card had other types: on its own
 * provider, while its types have some below it, or on one of a former type's. */
static bool is_of_rest(const struct want *want, const struct managed *managed)
{
    return want->managed->left || want->managed == managed->card;
}

/* Whether such allocations, beside the provider's own, have all the room that the card has
 * for the type. */
static bool rest_has_room(const struct managed *managed)
{
    const struct group *group = managed->group;
    int64_t rest = 0, own = 0;
    for (size_t i = 0; group && managed->desired->gpu && i < group->want_count; i++) {
        const struct want *want = &group->wants[i];
        if (is_of_rest(want, managed))
            rest += want->met;
        else if (want->managed == managed)
            own += want->met;
    }
    int64_t most = rest ? most_devices(managed) : 0;
    return rest && (most == INT64_MAX || rest + own >= most);
}

bool taken_is_by_rest(const struct world *world, const struct managed *managed)
{
    if (!rest_has_room(managed))
        return false;
    _cleanup_free_ char *others = takings(world, managed);
    return !*others;
}

bool taken_is_by_hand(const struct world *world, const struct managed *managed)
{
    const struct group *group = managed->group;
    for (size_t i = 0; group && i < group->present_count; i++) {
        enum taking taking = taking_of(world, &group->present[i]);
        if (taking != TAKES_NOTHING && taking != IS_MADE_BY_HAND)
            return false;
    }
    _cleanup_free_ char *places = places_text(world, managed);
    return !places && has_room_by_hand(world, managed);
}

char *taken_reason(const struct world *world, const struct managed *managed)
{
    if (managed->group && group_in_transit(managed->group, NULL, false))
        return xstrdup("a device of it is being made or removed");
    char *others = takings(world, managed);
    if (*others)
        return others;
    free(others);
    if (rest_has_room(managed))
        return xstrdup(managed->card
                           ? "what was allocated before its types had providers of "
                             "their own has all of its room"
                           : "what was allocated while its types had providers of "
                             "their own has all of its room");
    if (managed->group && managed->group->want_count)
        return xstrdup(
            "what is allocated below other providers of the same card leaves "
            "no room");
    return xasprintf("its driver says that no instance of '%s' can be made, and it "
                     "has no device: do its mode and the vendor's licence allow it?",
                     managed->desired->type_config->type);
}
