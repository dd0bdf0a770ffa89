#include "placement/transfer/room.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/xalloc.h"

/* What all consumers have of one class on one provider while they are written: each the
 * larger of what it has on the two sides. */
struct room_demand {
    const char *provider, *resource_class; /* borrowed from the snapshots */
    int64_t used;
    bool pending; /* some of it is still to be made */
    bool odd;     /* an amount that the bounds of the inventory do not let pass */
};

static int by_place(const void *a, const void *b)
{
    const struct room_demand *left = a, *right = b;
    int order = strcmp(left->provider, right->provider);
    return order ? order : strcmp(left->resource_class, right->resource_class);
}

static struct room_demand *find(const struct room *room, const char *provider,
                                const char *resource_class)
{
    const struct room_demand key = {.provider = provider,
                                    .resource_class = resource_class};
    return room->count ? bsearch(&key, room->demands, room->count, sizeof key, by_place)
                       : NULL;
}

static bool allows(const struct snapshot *snapshot,
                   const struct snapshot_allocation *allocation)
{
    const struct snapshot_provider *provider =
        snapshot_provider(snapshot, allocation->provider);
    const struct inventory *inventory =
        provider
            ? class_inventory_find(provider->inventories, provider->inventory_count,
                                   allocation->resource_class)
            : NULL;
    return inventory && inventory_allows(inventory, allocation->amount);
}

static void add_demand(struct room *room, const struct snapshot_allocation *allocation,
                       int64_t used, bool pending, bool odd)
{
    *array_add(room->demands, room->count) =
        (struct room_demand){.provider = allocation->provider,
                             .resource_class = allocation->resource_class,
                             .used = used,
                             .pending = pending,
                             .odd = odd};
}

static void add_wanted(struct room *room, const struct snapshot *snapshot,
                       const struct snapshot *there, bool typed)
{
    for (size_t i = 0; i < snapshot->consumer_count; i++) {
        const struct snapshot_consumer *consumer = snapshot->consumers[i];
        bool pending = snapshot_consumer_is_pending(
            consumer, snapshot_consumer(there, consumer->uuid), typed);
        for (size_t k = 0; k < consumer->count; k++) {
            const struct snapshot_allocation *allocation = &consumer->allocations[k];
            add_demand(room, allocation, allocation->amount, pending,
                       pending && !allows(snapshot, allocation));
        }
    }
}

/* What the other side's consumers have beyond that. */
static void add_present(struct room *room, const struct snapshot *snapshot,
                        const struct snapshot *there)
{
    for (size_t i = 0; i < there->consumer_count; i++) {
        const struct snapshot_consumer *old = there->consumers[i];
        const struct snapshot_consumer *consumer =
            snapshot_consumer(snapshot, old->uuid);
        for (size_t k = 0; k < old->count; k++) {
            const struct snapshot_allocation *allocation = &old->allocations[k];
            int64_t more = allocation->amount -
                           snapshot_consumer_amount(consumer, allocation->provider,
                                                    allocation->resource_class);
            if (more > 0)
                add_demand(room, allocation, more, false, false);
        }
    }
}

void room_count(struct room *room, const struct snapshot *snapshot,
                const struct snapshot *there, bool typed)
{
    add_wanted(room, snapshot, there, typed);
    add_present(room, snapshot, there);
    if (room->count == 0)
        return;
    qsort(room->demands, room->count, sizeof *room->demands, by_place);
    struct room_demand *kept = room->demands;
    for (size_t i = 1; i < room->count; i++) {
        const struct room_demand *next = &room->demands[i];
        if (by_place(next, kept) != 0) {
            *++kept = *next;
            continue;
        }
        kept->used += next->used;
        kept->pending |= next->pending;
        kept->odd |= next->odd;
    }
    room->count = (size_t)(kept - room->demands) + 1;
}

static const struct inventory unbounded = {.total = PLACEMENT_MAX_AMOUNT,
                                           .min_unit = 1,
                                           .max_unit = PLACEMENT_MAX_AMOUNT,
                                           .step_size = 1,
                                           .allocation_ratio = 1};

/* The other side may keep a ratio that is a little smaller. */
static double sure_capacity(const struct inventory *inventory)
{
    struct inventory there = *inventory;
    there.allocation_ratio =
        fmin(there.allocation_ratio, snapshot_kept_ratio(there.allocation_ratio));
    return inventory_capacity(&there);
}

static bool is_too_small(const struct room_demand *demand,
                         const struct inventory *inventory)
{
    return demand && demand->pending &&
           (demand->odd || sure_capacity(inventory) < (double)demand->used);
}

static int by_class(const void *a, const void *b)
{
    return strcmp(((const struct class_inventory *)a)->resource_class,
                  ((const struct class_inventory *)b)->resource_class);
}

static void add(struct inventory_set *set, const char *resource_class,
                const struct inventory *inventory)
{
    *array_add(set->items, set->count) =
        (struct class_inventory){xstrdup(resource_class), *inventory};
}

void room_make(struct room *room, const struct snapshot_provider *provider,
               const struct snapshot_provider *there, struct inventory_set *out)
{
    bool made = false;
    for (size_t i = 0; i < provider->inventory_count; i++) {
        const struct class_inventory *own = &provider->inventories[i];
        bool small = is_too_small(find(room, provider->is.uuid, own->resource_class),
                                  &own->inventory);
        add(out, own->resource_class, small ? &unbounded : &own->inventory);
        made |= small;
    }
    for (size_t i = 0; i < there->inventory_count; i++) {
        const struct class_inventory *old = &there->inventories[i];
        if (class_inventory_find(provider->inventories, provider->inventory_count,
                                 old->resource_class))
            continue;
        add(out, old->resource_class, &old->inventory);
        made = true;
    }
    if (out->count)
        qsort(out->items, out->count, sizeof *out->items, by_class);
    if (made)
        strlist_add(&room->made, provider->is.uuid);
}

void room_clear(struct room *room)
{
    free(room->demands);
    strlist_clear(&room->made);
    *room = (struct room){0};
}

bool inventory_set_equal(const struct inventory_set *set,
                         const struct class_inventory *items, size_t count)
{
    if (set->count != count)
        return false;
    for (size_t i = 0; i < count; i++)
        if (strcmp(set->items[i].resource_class, items[i].resource_class) != 0 ||
            !snapshot_inventory_equal(&set->items[i].inventory, &items[i].inventory))
            return false;
    return true;
}

void inventory_set_clear(struct inventory_set *set)
{
    class_inventories_free(set->items, set->count);
}
