#include "agent/plan/providers/inventory.h"

#include <math.h>
#include <string.h>

#include "agent/plan/devices/room.h"
#include "agent/plan/world/managed.h"
#include "agent/plan/world/several.h"
#include "lib/xalloc.h"

static const struct inventory *observed_inventory(const struct managed *managed,
                                                  const char *resource_class)
{
    const struct observed_provider *observed = managed->observed;
    return observed ? class_inventory_find(observed->inventories,
                                           observed->inventory_count, resource_class)
                    : NULL;
}

static int64_t at_most(int64_t number, int64_t cap)
{
    return number > cap ? cap : number;
}

static int64_t at_least(int64_t number, int64_t floor)
{
    return number < floor ? floor : number;
}

/* One class on one provider. */
struct class_decision {
    const char *resource_class;
    const struct inventory *observed; /* NULL: there is none */
    bool configured;                  /* the class of the provider's type */
    int64_t room;                     /* room_left(), where it is configured */
    bool held_back;                   /* nobody new is to get a unit */
    bool is_ours; /* what is reserved is taken for the agent's, without a note of it */
    struct inventory inventory; /* total 0: there is to be none */
    struct journal_inventory note;
};

/* ---- total ---- */

/* True when devices of the card's other types are about to be made. */
static bool others_are_made(const struct managed *managed)
{
    const struct group *group = managed->group;
    for (size_t i = 0; group->several && i < group->want_count; i++)
        if (want_to_be_made_of_others(&group->wants[i], managed) > 0)
            return true;
    return false;
}

/* The most that may be reported while a device is in transition: it may be of another
 * type, while the kernel still offers the configured one beside it. So no more is
 * reported than before; nor while devices of other types are about to be made, or what
 * is allocated on another provider of the card is not known. */
static int64_t growth_limit(const struct managed *managed,
                            const struct inventory *observed)
{
    if (managed->group && managed->group->unread)
        return observed ? observed->total : 0;
    if (!managed->group || !(managed->group->in_transit || others_are_made(managed)))
        return INT64_MAX;
    return observed ? observed->total : managed->desired->capacity;
}

/* The least total of the class: what is allocated. With less, Placement would refuse to
 * move an allocation, for instance to a migration. Where an operator has set an
 * allocation_ratio above 1, the allocated amount divided by it is enough: if the total
 * were raised to what is allocated, the ratio would allow even more allocations, and
 * the total would grow without end. */
static int64_t least_total(const struct managed *managed, const char *resource_class)
{
    const struct inventory *observed = observed_inventory(managed, resource_class);
    int64_t used = managed_allocated(managed, resource_class);
    if (!observed || !(observed->allocation_ratio > 1.0))
        return used;
    return (int64_t)ceil((double)used / observed->allocation_ratio);
}

static bool is_configured_class(const struct managed *managed,
                                const char *resource_class)
{
    return managed->desired && !managed->desired->is_card &&
           strcmp(managed->desired->resource_class, resource_class) == 0;
}

static int64_t decide_total(const struct managed *managed,
                            const struct class_decision *class)
{
    int64_t total = 0;
    if (managed->left)
        total = 0; /* the card's own provider has it */
    else if (!managed->desired || (managed->desired->sick && class->configured))
        total = class->observed ? class->observed->total : 0;
    else if (class->configured && !managed->desired->disabled &&
             !managed_is_excluded(managed)) {
        total = at_most(class->room, growth_limit(managed, class->observed));
        if (managed->desired->type_config->max_instances)
            total = at_most(total, managed->desired->type_config->max_instances);
    }
    total = at_least(total, least_total(managed, class->resource_class));
    return at_most(total, PLACEMENT_MAX_AMOUNT);
}

/* ---- old servers ---- */

/* True for an old server, which does not accept a `reserved` as large as `total`: there
 * a GPU that gets no new consumers has exactly what is allocated, or no inventory. */
static bool keeps_some_free(const struct world *world)
{
    return world->in->observed->keeps_some_free;
}

static int64_t most_reserved(const struct world *world, int64_t total)
{
    return keeps_some_free(world) && total > 0 ? total - 1 : total;
}

/* True when the agent itself may have set this `reserved` while it overruled the
 * operator. */
static bool is_like_ours(const struct world *world, const struct inventory *observed,
                         const struct journal_inventory *noted)
{
    return noted->follows_use ||
           observed->reserved == most_reserved(world, observed->total) ||
           (keeps_some_free(world) && observed->reserved == 0);
}

/* ---- GPUs that are held back ---- */

static bool reserves_unused(const struct world *world, const struct managed *managed)
{
    return world->in->config->agent.drain_reserve == DRAIN_UNUSED &&
           service_of(world, managed) == GPU_DRAINED;
}

/* The value of `reserved` for a GPU that is held back. When more is allocated on a
 * provider than its inventory has without `reserved`, a Placement before 2025.2 refuses
 * every change of an allocation that leaves something on that provider. This includes
 * the change that begins a migration, which moves a server's allocation to the
 * migration. So a GPU that is to be emptied can keep exactly what is allocated
 * (drain_reserve). */
static int64_t held_back_reserved(const struct world *world,
                                  const struct managed *managed,
                                  const char *resource_class, int64_t total)
{
    return reserves_unused(world, managed)
               ? at_least(total - least_total(managed, resource_class), 0)
               : total;
}

/* ---- an operator's values ---- */

static bool is_held_back(const struct world *world, const struct managed *managed,
                         const char *resource_class)
{
    return !is_configured_class(managed, resource_class) ||
           service_is_held_back(service_of(world, managed));
}

static const struct journal_inventory *noted_inventory(const struct managed *managed,
                                                       const char *resource_class)
{
    return managed->noted ? journal_find_inventory(managed->noted, resource_class)
                          : NULL;
}

/* True when the journal is lost but the agent has probably set this `reserved` itself,
 * because it would set the same now. Were it taken for the operator's, the GPU would
 * never return to service. */
static bool is_taken_as_ours(const struct world *world, const struct managed *managed,
                             const char *resource_class, bool held_back)
{
    const struct inventory *observed = observed_inventory(managed, resource_class);
    return held_back && observed && !noted_inventory(managed, resource_class) &&
           (observed->reserved == observed->total ||
            observed->reserved ==
                held_back_reserved(world, managed, resource_class, observed->total));
}

/* An operator wants back what somebody has reserved. */
static bool is_given_back(const struct world *world, const struct managed *managed,
                          const char *resource_class)
{
    const struct strlist *unreserved = world->in->unreserved;
    return world->owner && unreserved && strlist_contains(unreserved, managed->gpu) &&
           is_configured_class(managed, resource_class);
}

/* The operator's own values: those that Placement has, unless the agent has set
 * `reserved` to the total. */
static struct journal_inventory operators(const struct world *world,
                                          const struct managed *managed,
                                          const char *resource_class, bool is_ours)
{
    const struct inventory *observed = observed_inventory(managed, resource_class);
    const struct journal_inventory *noted = noted_inventory(managed, resource_class);
    struct journal_inventory result = {.resource_class = (char *)resource_class,
                                       .operators_ratio = 1.0};
    if (noted && noted->overruled)
        result = *noted;
    if (observed) {
        result.operators_ratio = observed->allocation_ratio;
        if (!is_ours && (!result.overruled || !is_like_ours(world, observed, &result)))
            result.operators_reserved = observed->reserved;
    }
    if (is_given_back(world, managed, resource_class))
        result.operators_reserved = 0;
    return result;
}

/* The files' max_unit; 0: none. */
static int64_t files_max_unit(const struct managed *managed, const char *resource_class)
{
    return is_configured_class(managed, resource_class)
               ? managed->desired->type_config->max_unit
               : 0;
}

/* The max_unit that an operator has set; 0: none. The agent sets it to the total or to
 * what the files say, and Placement's default is the largest possible number; any other
 * value is an operator's. Once the files decide, the operator's is as it was noted
 * then. */
static int64_t operators_max_unit(const struct managed *managed,
                                  const char *resource_class)
{
    const struct inventory *observed = observed_inventory(managed, resource_class);
    const struct journal_inventory *noted = noted_inventory(managed, resource_class);
    int64_t files = files_max_unit(managed, resource_class);
    int64_t written = noted ? noted->files_max_unit : 0;
    if (!observed || observed->max_unit == files ||
        (written && (files || observed->max_unit == written)))
        return noted ? noted->operators_max_unit : 0;
    return observed->max_unit != observed->total &&
                   observed->max_unit != PLACEMENT_MAX_AMOUNT
               ? observed->max_unit
               : 0;
}

/* The most units for one consumer: as the files say, else as an operator has set it,
 * else all. `note` is to keep what Placement will not show. */
static int64_t decide_max_unit(const struct managed *managed,
                               const char *resource_class, int64_t total,
                               struct journal_inventory *note)
{
    const struct inventory *observed = observed_inventory(managed, resource_class);
    const struct journal_inventory *noted = noted_inventory(managed, resource_class);
    int64_t files = files_max_unit(managed, resource_class);
    int64_t operators = operators_max_unit(managed, resource_class);
    bool shows = !files && total > 0 && observed && observed->max_unit == operators;
    bool still_written =
        noted && observed && noted->files_max_unit == observed->max_unit;
    note->operators_max_unit = shows ? 0 : operators;
    note->files_max_unit = files ? files : still_written ? noted->files_max_unit : 0;
    return files ? files : operators ? operators : total;
}

/* ---- the set of inventories ---- */

static void add(struct inventory_decision *decision, const char *resource_class,
                const struct inventory *inventory)
{
    struct class_inventory *item = array_add(decision->all, decision->count);
    item->resource_class = xstrdup(resource_class);
    item->inventory = *inventory;
}

static struct class_decision class_begin(const struct world *world,
                                         const struct managed *managed,
                                         const char *resource_class)
{
    struct class_decision class = {
        .resource_class = resource_class,
        .observed = observed_inventory(managed, resource_class),
        .configured = is_configured_class(managed, resource_class),
        .held_back = is_held_back(world, managed, resource_class),
    };
    if (class.configured)
        class.room = room_left(world, managed);
    class.is_ours = is_taken_as_ours(world, managed, resource_class, class.held_back);
    class.note = operators(world, managed, resource_class, class.is_ours);
    return class;
}

static bool is_for_one_use(const struct managed *managed,
                           const struct class_decision *class)
{
    return class->configured && managed_is_for_one_use(managed);
}

/* Units that are given away once are reserved with the last of them that is free: from
 * then on nobody can get one between the end of an allocation and the agent's next look.
 * While some are free only those are that were used, since Placement subtracts what is
 * allocated itself; what comes in such a moment beyond the free ones, create_devices()
 * refuses. */
static int64_t wanted_reserved(const struct world *world, const struct managed *managed,
                               const struct class_decision *class, int64_t total)
{
    int64_t operators = class->note.operators_reserved;
    if (!is_for_one_use(managed, class))
        return operators;
    int64_t given = managed_given_once(world, managed);
    return operators +
           (operators + given < total ? managed_spent(world, managed) : given);
}

static void decide_inventory(const struct world *world, const struct managed *managed,
                             struct class_decision *class)
{
    bool shrinks = class->held_back && keeps_some_free(world);
    int64_t total = shrinks ? least_total(managed, class->resource_class)
                            : decide_total(managed, class);
    int64_t reserved = at_most(wanted_reserved(world, managed, class, total),
                               most_reserved(world, total));
    if (class->held_back)
        reserved =
            shrinks ? 0
                    : held_back_reserved(world, managed, class->resource_class, total);
    class->inventory = (struct inventory){
        .total = total,
        .reserved = reserved,
        .min_unit = 1,
        .max_unit =
            decide_max_unit(managed, class->resource_class, total, &class->note),
        .step_size = 1,
        .allocation_ratio = class->note.operators_ratio,
    };
}

/* What an operator had set is kept in the journal for as long as something else stands
 * in Placement. */
static void decide_note(const struct world *world, const struct managed *managed,
                        struct class_decision *class)
{
    struct journal_inventory *note = &class->note;
    int64_t operators_reserved = note->operators_reserved;
    if (class->inventory.total > 0)
        note->overruled =
            class->inventory.reserved != operators_reserved ||
            (class->is_ours && class->observed->reserved != operators_reserved);
    else
        note->overruled =
            operators_reserved || note->operators_ratio != 1.0 || class->is_ours;
    note->follows_use =
        note->overruled && (note->follows_use || reserves_unused(world, managed) ||
                            is_for_one_use(managed, class));
    if (note->overruled)
        return;
    note->operators_reserved = 0;
    note->operators_ratio = 1.0;
}

static int64_t offered_of(const struct inventory *inventory)
{
    return inventory->total - inventory->reserved;
}

static void decide_class(const struct world *world, const struct managed *managed,
                         const char *resource_class,
                         struct inventory_decision *decision,
                         struct journal_provider *entry)
{
    struct class_decision class = class_begin(world, managed, resource_class);
    decide_inventory(world, managed, &class);
    int64_t others = class.note.operators_reserved;
    decide_note(world, managed, &class);
    const struct inventory *old = class.observed, *now = &class.inventory;
    bool is_there = now->total > 0;
    if (is_there)
        add(decision, resource_class, now);
    decision->changed |= is_there ? !old || !inventory_equal(old, now) : old != NULL;
    decision->less |= old && (!is_there || offered_of(now) < offered_of(old));
    if (is_there || class.note.overruled || class.note.operators_max_unit ||
        class.configured)
        journal_put_inventory(entry, &class.note);
    if (class.configured)
        decision->offered = (struct service_inventory){
            .room = class.room,
            .total = is_there ? now->total : 0,
            .reserved = is_there ? now->reserved : 0,
            .others_reserved = is_there ? at_most(others, now->reserved) : 0,
            .ratio = now->allocation_ratio};
}

/* The classes of the provider that are the agent's. */
static struct strlist our_classes(const struct world *world,
                                  const struct managed *managed)
{
    struct strlist classes = {0};
    if (managed->desired && !managed->desired->is_card)
        strlist_add(&classes, managed->desired->resource_class);
    for (size_t i = 0; managed->noted && i < managed->noted->inventory_count; i++)
        strlist_add_unique(&classes, managed->noted->inventories[i].resource_class);
    const struct observed_provider *observed = managed->observed;
    for (size_t i = 0; observed && i < observed->inventory_count; i++)
        if (managed_has_class(world, managed, observed->inventories[i].resource_class))
            strlist_add_unique(&classes, observed->inventories[i].resource_class);
    return classes;
}

void inventory_found(const struct world *world, const struct managed *managed,
                     struct journal_provider *found)
{
    _cleanup_strlist_ struct strlist ours = our_classes(world, managed);
    for (size_t i = 0; i < ours.count; i++) {
        struct journal_inventory inventory = {.resource_class = ours.items[i],
                                              .operators_ratio = 1.0};
        if (observed_inventory(managed, ours.items[i]))
            journal_put_inventory(found, &inventory);
    }
}

static int compare_classes(const void *a, const void *b)
{
    return strcmp(((const struct class_inventory *)a)->resource_class,
                  ((const struct class_inventory *)b)->resource_class);
}

struct inventory_decision inventory_decide(const struct world *world,
                                           const struct managed *managed,
                                           struct journal_provider *entry)
{
    struct inventory_decision decision = {0};
    const struct observed_provider *observed = managed->observed;
    _cleanup_strlist_ struct strlist ours = our_classes(world, managed);
    for (size_t i = 0; i < ours.count; i++)
        decide_class(world, managed, ours.items[i], &decision, entry);
    for (size_t i = 0; observed && i < observed->inventory_count; i++)
        if (!strlist_contains(&ours, observed->inventories[i].resource_class))
            add(&decision, observed->inventories[i].resource_class,
                &observed->inventories[i].inventory);
    if (decision.count)
        qsort(decision.all, decision.count, sizeof *decision.all, compare_classes);
    return decision;
}
