#include "agent/plan/providers/provider_reason.h"

#include <inttypes.h>

#include "agent/plan/steps/text.h"
#include "lib/xalloc.h"

/* ---- inventory ---- */

static void add_change(struct strlist *changes, const char *name, int64_t before,
                       int64_t after)
{
    if (before != after)
        strlist_add_take(changes,
                         xasprintf("%s %" PRId64 " -> %" PRId64, name, before, after));
}

/* How the inventory of the class changes; NULL: it stays as it is. */
static char *class_change(const char *resource_class, const struct inventory *before,
                          const struct inventory *after)
{
    if (!after)
        return xasprintf("%s total %" PRId64 " -> none", resource_class, before->total);
    if (!before)
        return xasprintf("there is no inventory of %s yet", resource_class);
    _cleanup_strlist_ struct strlist changes = {0};
    add_change(&changes, "total", before->total, after->total);
    add_change(&changes, "reserved", before->reserved, after->reserved);
    add_change(&changes, "max_unit", before->max_unit, after->max_unit);
    add_change(&changes, "min_unit", before->min_unit, after->min_unit);
    add_change(&changes, "step_size", before->step_size, after->step_size);
    if (before->allocation_ratio != after->allocation_ratio)
        strlist_add_take(&changes,
                         xasprintf("allocation_ratio %g -> %g",
                                   before->allocation_ratio, after->allocation_ratio));
    _cleanup_free_ char *text = strlist_join(&changes, ", ");
    return changes.count ? xasprintf("%s %s", resource_class, text) : NULL;
}

static void add_class_change(struct strlist *changes, const char *resource_class,
                             const struct inventory *before,
                             const struct inventory *after)
{
    char *change = class_change(resource_class, before, after);
    if (change)
        strlist_add_take(changes, change);
}

/* What determines the total while the GPU is in service. */
static char *why_total(const struct managed *managed,
                       const struct service_inventory *offered)
{
    int64_t room = offered->room > 0 ? offered->room : 0;
    unsigned most = managed->desired->type_config->max_instances;
    if (offered->total > room)
        return xasprintf("the host has room for %" PRId64 ", and more are allocated",
                         room);
    if (most && offered->total == most && room > most)
        return xasprintf("max_instances is %u", most);
    return xasprintf("the host has room for %" PRId64, room);
}

/* Why the inventory changes while the GPU is in service. */
static char *why_in_service(const struct managed *managed,
                            const struct inventory_decision *decision)
{
    const char *resource_class = managed->desired->resource_class;
    const struct observed_provider *observed = managed->observed;
    const struct inventory *before =
        observed ? class_inventory_find(observed->inventories,
                                        observed->inventory_count, resource_class)
                 : NULL;
    const struct inventory *after =
        class_inventory_find(decision->all, decision->count, resource_class);
    if (!before || !after || before->total != after->total)
        return why_total(managed, &decision->offered);
    return xstrdup(before->reserved > after->reserved ? "nothing holds it back any more"
                   : before->max_unit != after->max_unit
                       ? "so the files, or an operator, have set it"
                       : "so the agent, or an operator before it, has set it");
}

static char *why(const struct world *world, const struct managed *managed,
                 const struct inventory_decision *decision)
{
    const struct desired_provider *desired = managed->desired;
    if (desired && desired->is_card && !desired->sick)
        return xstrdup("its types have providers of their own");
    switch (service_of(world, managed)) {
    case GPU_DRAINED:
        return xstrdup("an operator has drained it");
    case GPU_SICK:
        return xstrdup(desired && desired->sick ? desired->sick : "not on this host");
    case GPU_CHANGING:
        if (!managed->left)
            return xstrdup("devices of its former type are still on it");
        return managed->group && managed->group->several
                   ? xstrdup("its type is none of its card's any more")
                   : xstrdup("its card has one type again, on the card's own provider");
    case GPU_RETIRED:
        return xstrdup(managed->unlisted ? "its driver does not list the type now"
                                         : "no type is configured for it any more");
    case GPU_DISABLED:
        return xstrdup(desired->beside
                           ? "it could get what another type of the card has used "
                             "(one_time_use)"
                           : "an operator has disabled the type");
    case GPU_EXCLUDED:
        return xstrdup("the card carries another of its types, one at a time");
    case GPU_MISCONFIGURED:
        return xasprintf("it does not offer the type '%s'", desired->type_config->type);
    default:
        return why_in_service(managed, decision);
    }
}

char *reason_of_inventory(const struct world *world, const struct managed *managed,
                          const struct inventory_decision *decision)
{
    _cleanup_strlist_ struct strlist changes = {0};
    const struct observed_provider *observed = managed->observed;
    size_t before_count = observed ? observed->inventory_count : 0;
    const struct class_inventory *before = observed ? observed->inventories : NULL;
    for (size_t i = 0; i < decision->count; i++) {
        const struct class_inventory *after = &decision->all[i];
        add_class_change(
            &changes, after->resource_class,
            class_inventory_find(before, before_count, after->resource_class),
            &after->inventory);
    }
    for (size_t i = 0; i < before_count; i++)
        if (!class_inventory_find(decision->all, decision->count,
                                  before[i].resource_class))
            add_class_change(&changes, before[i].resource_class, &before[i].inventory,
                             NULL);
    _cleanup_free_ char *text = strlist_join(&changes, "; ");
    _cleanup_free_ char *because = why(world, managed, decision);
    return xasprintf("%s: %s", text, because);
}

/* ---- traits ---- */

static void list_difference(const struct strlist *from, const struct strlist *less,
                            struct strlist *out)
{
    for (size_t i = 0; i < from->count; i++)
        if (!less || !strlist_contains(less, from->items[i]))
            strlist_add(out, from->items[i]);
}

char *reason_of_traits(const struct managed *managed,
                       const struct traits_decision *decision)
{
    static const struct strlist none;
    const struct strlist *before =
        managed->observed ? &managed->observed->traits : &none;
    _cleanup_strlist_ struct strlist missing = {0}, surplus = {0}, parts = {0};
    list_difference(&decision->all, before, &missing);
    list_difference(before, &decision->all, &surplus);
    _cleanup_free_ char *more = traits_text(&missing), *less = traits_text(&surplus);
    if (missing.count)
        strlist_add_take(&parts, xasprintf("missing: %s", more));
    if (surplus.count)
        strlist_add_take(&parts, xasprintf("no longer wanted: %s", less));
    return strlist_join(&parts, "; ");
}
