#include "agent/plan/providers/service.h"

#include <math.h>

#include "agent/plan/providers/taken.h"
#include "agent/plan/world/managed.h"
#include "agent/plan/world/several.h"
#include "agent/plan/world/want_type.h"
#include "lib/xalloc.h"

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

/* What Placement gives to new consumers while nothing is used; it rounds down, too. The
 * ratio may be anything: what it makes is kept within what the type can have. */
static int64_t offered_of(const struct service_inventory *inventory)
{
    double offered =
        (double)(inventory->total - inventory->reserved) * inventory->ratio;
    return (int64_t)fmin(fmax(offered, 0), 0x1p62);
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
    if (inventory->total && offered_of(inventory) < 1)
        return GPU_RESERVED;
    return managed->observed && inventory->total ? GPU_ACTIVE : GPU_WAITING;
}

/* ---- the reason ---- */

/* The reason for a sick GPU. A retired provider has no desired one that could give
 * it. */
static char *sick_reason(const struct managed *managed)
{
    return managed->desired
               ? desired_sick_reason(managed->desired)
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

static char *changing_reason(const struct world *world, const struct managed *managed)
{
    const char *others =
        managed->left ? managed_find_class(world, managed, false) : NULL;
    if (others && !managed->observed->allocation_count)
        return xasprintf("nothing is configured any more that its provider %s is for, "
                         "and somebody else has inventory of %s there, which keeps it",
                         managed->name, others);
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
    const struct desired_provider *desired = managed->desired;
    if (desired->beside)
        return xasprintf(
            "'%s' was enabled for it beside '%s', the units of one of the two "
            "are given away once (one_time_use), and the other could get what "
            "was used: `vgpu-agent disable '%s' %s` ends that",
            desired->type_config->type, desired->beside->type,
            desired->type_config->type, managed->gpu);
    return xasprintf("an operator has disabled it for this card: `vgpu-agent enable "
                     "'%s' %s` takes that back",
                     desired->type_config->type, managed->gpu);
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

static bool has_odd_ratio(const struct service_inventory *inventory)
{
    return inventory && inventory->total && inventory->ratio != 1.0;
}

static char *ratio_reason(const struct managed *managed,
                          const struct service_inventory *inventory)
{
    return xasprintf(
        "somebody has set its allocation_ratio in Placement to %g, so that %lld of its "
        "%lld units can be allocated%s: `openstack resource provider inventory set %s "
        "--amend --resource %s:allocation_ratio=1.0` takes that back",
        inventory->ratio, (long long)offered_of(inventory), (long long)inventory->total,
        inventory->ratio > 1.0 ? ", and what is more than there are gets no device"
                               : "",
        managed->uuid, managed->desired->resource_class);
}

static char *unclean_reason(const struct world *world, const struct managed *managed)
{
    return xasprintf("%lld of its units were used and stay reserved "
                     "(one_time_use): `vgpu-agent clean %s` offers them again",
                     (long long)managed_spent(world, managed), managed->gpu);
}

/* Units that nobody new gets although the GPU as a whole is in service. */
static char *active_reason(const struct world *world, const struct managed *managed,
                           const struct service_inventory *inventory)
{
    _cleanup_strlist_ struct strlist parts = {0};
    char *places = taken_places(world, managed);
    if (!inventory || !inventory->total)
        return places;
    if (places)
        strlist_add_take(&parts, places);
    if (managed_is_for_one_use(managed) && managed_spent(world, managed))
        strlist_add_take(&parts, unclean_reason(world, managed));
    if (inventory->others_reserved)
        strlist_add_take(
            &parts, xasprintf("%lld of its units are reserved in Placement, and "
                              "not by the agent as far as its state file tells: "
                              "`vgpu-agent undrain %s` gives them back",
                              (long long)inventory->others_reserved, managed->gpu));
    if (has_odd_ratio(inventory))
        strlist_add_take(&parts, ratio_reason(managed, inventory));
    return parts.count ? strlist_join(&parts, "; ") : NULL;
}

static char *reserved_reason(const struct managed *managed,
                             const struct service_inventory *inventory)
{
    if (inventory->reserved < inventory->total)
        return ratio_reason(managed, inventory);
    return xasprintf("all %lld units are reserved in Placement, and not by the "
                     "agent: `vgpu-agent undrain %s` puts it back to service",
                     (long long)inventory->total, managed->gpu);
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
        return changing_reason(world, managed);
    case GPU_EXCLUDED:
        return excluded_reason(managed);
    case GPU_DISABLED:
        return disabled_reason(managed);
    case GPU_TAKEN:
        return taken_reason(world, managed);
    case GPU_RESERVED:
        return reserved_reason(managed, inventory);
    case GPU_UNCLEAN:
    case GPU_ACTIVE:
        return active_reason(world, managed, inventory);
    case GPU_FOREIGN:
        return xstrdup("it carries OWNER_NOVA: nova-compute writes it, and the agent "
                       "leaves it alone");
    case GPU_RETIRED:
        return retired_reason(managed);
    case GPU_WAITING:
    case GPU_UNUSED:
        break;
    }
    return NULL;
}

/* True when the state is neither what an operator wants nor temporary. */
static bool is_wrong(const struct world *world, const struct managed *managed,
                     enum gpu_service service,
                     const struct service_inventory *inventory)
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
        return !managed->group ||
               (!group_in_transit(managed->group, NULL, false) &&
                !taken_is_by_rest(world, managed) && !taken_is_by_hand(world, managed));
    case GPU_ACTIVE:
    case GPU_UNCLEAN:
        return has_odd_ratio(inventory);
    case GPU_CHANGING:
    case GPU_WAITING:
    case GPU_EXCLUDED:
    case GPU_UNUSED:
        break;
    case GPU_DISABLED:
        return managed->desired->beside != NULL;
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
                     is_wrong(world, managed, service, inventory));
    struct plan *plan = world->plan;
    if (inventory &&
        (service == GPU_ACTIVE || service == GPU_UNCLEAN || service == GPU_RESERVED))
        plan->services[plan->service_count - 1].others_reserved =
            inventory->others_reserved;
}
