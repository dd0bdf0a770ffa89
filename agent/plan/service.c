#include "agent/plan/service.h"

#include <string.h>

#include "agent/backend/backend.h"
#include "agent/host/capacity.h"
#include "agent/plan/create.h"
#include "agent/plan/managed.h"
#include "agent/plan/several.h"
#include "agent/plan/world.h"
#include "lib/xalloc.h"

/* The number of devices that a reason names. */
#define NAMED_MAX 3

const char *gpu_service_name(enum gpu_service service)
{
    static const char *const names[GPU_SERVICES] = {
        [GPU_ACTIVE] = "active",     [GPU_DRAINED] = "drained",
        [GPU_SICK] = "sick",         [GPU_MISCONFIGURED] = "misconfigured",
        [GPU_CHANGING] = "changing", [GPU_TAKEN] = "taken",
        [GPU_RESERVED] = "reserved", [GPU_UNCLEAN] = "unclean",
        [GPU_WAITING] = "waiting",   [GPU_FOREIGN] = "foreign",
        [GPU_RETIRED] = "retired",   [GPU_EXCLUDED] = "excluded",
        [GPU_DISABLED] = "disabled", [GPU_UNUSED] = "unused",
    };
    return names[service];
}

/* ---- the state ---- */

/* True when the device is of a type other than the configured one, and either meets an
 * allocation or was made by the agent. */
static bool is_of_former_type(const struct present *present)
{
    return present_is_settled(present) && !present_is_configured(present) &&
           (present->want || !present_is_foreign(present));
}

static size_t count_former(const struct group *group)
{
    size_t count = 0;
    for (size_t i = 0; group && i < group->present_count; i++)
        count += is_of_former_type(&group->present[i]);
    return count;
}

bool managed_makes_other_type(const struct managed *managed)
{
    const struct group *group = managed->group;
    if (!group || !group->gpu)
        return false;
    const char *configured = managed->desired->type_id;
    for (size_t i = 0; i < group->want_count; i++) {
        const struct device_type *type = want_lost_type(&group->wants[i]);
        if (type && configured && strcmp(type->id, configured) == 0)
            continue;
        for (size_t j = 0; type && j < group->gpu->parent_count; j++) {
            const struct device_type *here =
                parent_type(&group->gpu->parents[j], type->id);
            if (here && here->available > 0)
                return true;
        }
    }
    return false;
}

/* True when devices of the former type leave no room: on cards that take only one type
 * at a time, the new type has no room until the last device of the old one is gone. */
static bool is_changing(const struct managed *managed)
{
    return (managed->desired->capacity == 0 && count_former(managed->group) > 0) ||
           managed_makes_other_type(managed);
}

static bool is_drained(const struct world *world, const struct managed *managed)
{
    const struct strlist *drained = world->in->drained;
    return world->owner && drained && strlist_contains(drained, managed->gpu);
}

enum gpu_service service_of(const struct world *world, const struct managed *managed)
{
    const struct desired_provider *desired = managed->desired;
    if (managed->hands_off)
        return GPU_FOREIGN;
    if (managed->left)
        return GPU_CHANGING;
    if (!desired)
        return host_gpu(world->in->host, managed->gpu) ? GPU_RETIRED : GPU_SICK;
    if (is_drained(world, managed))
        return GPU_DRAINED;
    if (desired->sick)
        return GPU_SICK;
    if (desired->is_card)
        return managed->observed && managed->observed->allocation_count ? GPU_CHANGING
                                                                        : GPU_ACTIVE;
    if (desired->disabled)
        return GPU_DISABLED;
    if (!desired->type_id)
        return GPU_MISCONFIGURED;
    if (world->owner && managed_is_excluded(managed))
        return GPU_EXCLUDED;
    if (world->owner && is_changing(managed))
        return GPU_CHANGING;
    return managed->observed || managed_is_new(managed) ? GPU_ACTIVE : GPU_WAITING;
}

bool service_is_held_back(enum gpu_service service)
{
    return service == GPU_DRAINED || service == GPU_SICK || service == GPU_CHANGING ||
           service == GPU_RETIRED || service == GPU_EXCLUDED || service == GPU_DISABLED;
}

static enum gpu_service with_inventory(const struct world *world,
                                       const struct managed *managed,
                                       enum gpu_service service,
                                       const struct service_inventory *inventory)
{
    if (service != GPU_ACTIVE || !inventory)
        return service;
    if (inventory->room <= 0)
        return managed_is_crowded_out(managed) ? GPU_EXCLUDED : GPU_TAKEN;
    if (inventory->total && inventory->reserved >= inventory->total &&
        managed_is_for_one_use(managed) && managed_given_once(world, managed) > 0)
        return managed_spent(world, managed) ? GPU_UNCLEAN : GPU_ACTIVE;
    if (inventory->total && inventory->reserved >= inventory->total)
        return GPU_RESERVED;
    return managed->observed && inventory->total ? GPU_ACTIVE : GPU_WAITING;
}

/* ---- the reason ---- */

/* The ways in which a device that meets no allocation takes room from others. */
enum taking {
    TAKES_NOTHING,
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

/* All devices that take room, as text; "": there are none. The caller frees. */
static char *takings(const struct world *world, const struct managed *managed)
{
    _cleanup_strlist_ struct strlist texts = {0};
    for (int i = IS_OF_OTHER_TYPE; i < TAKINGS; i++) {
        _cleanup_free_ char *devices = taken_by(world, managed->group, (enum taking)i);
        if (devices)
            strlist_add_take(&texts,
                             taking_text((enum taking)i,
                                         managed->desired->type_config->type, devices));
    }
    return strlist_join(&texts, "; ");
}

/* The most devices of the type; INT64_MAX: not known. A virtual function has one. */
static int64_t most_devices(const struct managed *managed)
{
    const struct desired_provider *desired = managed->desired;
    int64_t most = gpu_limit_below(desired->gpu, &desired->view, desired->type_id);
    int64_t functions = (int64_t)desired->view.parent_count;
    return desired->gpu->parent_count > 1 && functions < most ? functions : most;
}

/* Whether the allocation is of a time when the card had other types: on its own
 * provider, while its types have some below it, or on one of a former type's. */
static bool is_of_rest(const struct want *want, const struct managed *managed)
{
    return want->managed->left || want->managed == managed->card;
}

/* Whether such allocations have the room that is missing, and nothing has any that
 * should not. */
static bool is_taken_by_rest(const struct world *world, const struct managed *managed)
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
    if (!rest || (most != INT64_MAX && rest + own < most))
        return false;
    _cleanup_free_ char *others = takings(world, managed);
    return !*others;
}

static char *taken_reason(const struct world *world, const struct managed *managed)
{
    if (managed->group && group_in_transit(managed->group, NULL, false))
        return xstrdup("a device of it is being made or removed");
    char *others = takings(world, managed);
    if (*others)
        return others;
    free(others);
    if (is_taken_by_rest(world, managed))
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

char *service_sick_reason(const struct desired_provider *desired)
{
    if (!desired->gpu)
        return xasprintf("configured for the type '%s', but not on this host: put it "
                         "back, or take it out of the files and `vgpu-agent prune`",
                         desired->type_config->type);
    _cleanup_free_ char *remedy = gpu_remedy(desired->gpu);
    return xasprintf("%s: %s", desired->sick, remedy);
}

/* The reason for a sick GPU. A retired provider has no desired one that could give
 * it. */
static char *sick_reason(const struct managed *managed)
{
    return managed->desired
               ? service_sick_reason(managed->desired)
               : xstrdup("not on this host any more: put it back, or `vgpu-agent "
                         "prune` deletes its provider");
}

static char *drained_reason(const struct managed *managed)
{
    if (managed->desired->sick)
        return sick_reason(managed);
    return xasprintf("an operator has drained it: `vgpu-agent undrain %s` takes that "
                     "back",
                     managed->gpu);
}

static char *changing_reason(const struct managed *managed)
{
    if (managed->left && managed->group && managed->group->several)
        return xstrdup("its type is none of the card's any more: it goes when nothing "
                       "is allocated on it any more");
    if (managed->left)
        return xstrdup(
            "the card has one type again, which is on its own provider: this "
            "one goes when nothing is allocated on it any more");
    if (managed->desired->is_card)
        return xstrdup("what was allocated before its types had providers of their own "
                       "stays on the card's: new consumers get the types'");
    return xasprintf("devices of its former type are still on it (%zu); '%s' can be "
                     "made when the last of them has gone",
                     count_former(managed->group), managed->desired->type_config->type);
}

static char *excluded_reason(const struct managed *managed)
{
    _cleanup_free_ char *carried = group_carries(managed->group);
    if (managed->desired->mixed)
        return xasprintf("devices of the card's other types leave no room for '%s'",
                         managed->desired->type_config->type);
    if (!*carried)
        return xasprintf("another of the card's types is about to be made, and it "
                         "takes one at a time: '%s' can be made when the last device "
                         "of that has gone",
                         managed->desired->type_config->type);
    return xasprintf("the card carries %s, and takes one type at a time: '%s' can be "
                     "made when the last of them has gone",
                     carried, managed->desired->type_config->type);
}

static char *disabled_reason(const struct managed *managed)
{
    return xasprintf("an operator has disabled it for this card: `vgpu-agent enable "
                     "'%s' %s` takes that back",
                     managed->desired->type_config->type, managed->gpu);
}

/* A card whose types have changed can have providers besides those of its types now. */
static char *retired_reason(const struct managed *managed)
{
    if (managed->unlisted)
        return xasprintf("its driver does not list the type of its provider %s now, "
                         "which the files have for it: held back until it does, or "
                         "until that is pruned (`vgpu-agent prune`)",
                         managed->name);
    if (managed->group && managed->group->configured)
        return xasprintf("nothing is configured any more that its provider %s is for: "
                         "held back until that is pruned (`vgpu-agent prune`) or "
                         "configured again",
                         managed->name);
    return xstrdup("no type is configured for it any more: held back until it is "
                   "pruned (`vgpu-agent prune`) or configured again");
}

static char *service_reason(const struct world *world, const struct managed *managed,
                            enum gpu_service service,
                            const struct service_inventory *inventory)
{
    switch (service) {
    case GPU_DRAINED:
        return drained_reason(managed);
    case GPU_SICK:
        return sick_reason(managed);
    case GPU_MISCONFIGURED:
        return xasprintf("it does not offer the type '%s' that is configured for it: "
                         "`vgpu-agent types %s` lists what it offers",
                         managed->desired->type_config->type, managed->gpu);
    case GPU_CHANGING:
        return changing_reason(managed);
    case GPU_EXCLUDED:
        return excluded_reason(managed);
    case GPU_DISABLED:
        return disabled_reason(managed);
    case GPU_TAKEN:
        return taken_reason(world, managed);
    case GPU_RESERVED:
        return xasprintf("all %lld units are reserved in Placement, and not by the "
                         "agent: `vgpu-agent undrain %s` puts it back to service",
                         (long long)inventory->total, managed->gpu);
    case GPU_UNCLEAN:
        return xasprintf("%lld of its units were used and stay reserved "
                         "(one_time_use): `vgpu-agent clean %s` offers them again",
                         (long long)managed_spent(world, managed), managed->gpu);
    case GPU_FOREIGN:
        return xstrdup("it carries OWNER_NOVA: nova-compute writes it, and the agent "
                       "leaves it alone");
    case GPU_RETIRED:
        return retired_reason(managed);
    case GPU_ACTIVE:
    case GPU_WAITING:
    case GPU_UNUSED:
        break;
    }
    return NULL;
}

/* True when the state is neither what an operator wants nor temporary. */
static bool is_wrong(const struct world *world, const struct managed *managed,
                     enum gpu_service service)
{
    switch (service) {
    case GPU_SICK:
    case GPU_MISCONFIGURED:
    case GPU_RESERVED:
    case GPU_FOREIGN:
    case GPU_RETIRED:
        return true;
    case GPU_DRAINED:
        return managed->desired->sick != NULL;
    case GPU_TAKEN:
        return !managed->group || (!group_in_transit(managed->group, NULL, false) &&
                                   !is_taken_by_rest(world, managed));
    case GPU_ACTIVE:
    case GPU_CHANGING:
    case GPU_UNCLEAN:
    case GPU_WAITING:
    case GPU_EXCLUDED:
    case GPU_DISABLED:
    case GPU_UNUSED:
        break;
    }
    return false;
}

/* ---- adding to the plan ---- */

void service_add_take(struct world *world, const struct managed *managed,
                      enum gpu_service service, char *reason, bool wrong)
{
    struct plan *plan = world->plan;
    struct provider_service *added = array_add(plan->services, plan->service_count);
    uuid_text_copy(added->provider, managed->uuid);
    added->service = service;
    added->reason = reason;
    added->wrong = wrong;
    if (!wrong)
        return;
    /* Several virtual functions of one card can have providers: what concerns the whole
     * card is reported once, by the card's name. */
    bool of_card = world->by_card || service == GPU_SICK || service == GPU_TAKEN;
    _cleanup_free_ char *problem =
        xasprintf("%s: %s", of_card ? managed->gpu : managed->name, reason);
    strlist_add_unique(&plan->problems, problem);
}

void service_add(struct world *world, const struct managed *managed,
                 const struct service_inventory *inventory)
{
    enum gpu_service service =
        with_inventory(world, managed, service_of(world, managed), inventory);
    service_add_take(world, managed, service,
                     service_reason(world, managed, service, inventory),
                     is_wrong(world, managed, service));
}
