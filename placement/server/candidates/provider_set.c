#include "placement/server/candidates/provider_set.h"

#include <stdint.h>
#include <stdlib.h>

#include "lib/xalloc.h"

/* The slot that holds `thing`, or the free one where it belongs. */
static const void **find_slot(const struct provider_set *set, const void *thing)
{
    uint64_t hash = (uint64_t)(uintptr_t)thing * UINT64_C(0x9e3779b97f4a7c15);
    size_t mask = set->slot_count - 1;
    size_t i = (size_t)(hash >> 32) & mask;
    while (set->slots[i] && set->slots[i] != thing)
        i = (i + 1) & mask;
    return &set->slots[i];
}

static void grow(struct provider_set *set)
{
    struct provider_set bigger = {
        .slot_count = set->slot_count ? set->slot_count * 2 : 32,
        .count = set->count,
    };
    bigger.slots = xcalloc(bigger.slot_count, sizeof *bigger.slots);
    for (size_t i = 0; i < set->slot_count; i++)
        if (set->slots[i])
            *find_slot(&bigger, set->slots[i]) = set->slots[i];
    free(set->slots);
    *set = bigger;
}

bool provider_set_add(struct provider_set *set, const void *thing)
{
    if (3 * (set->count + 1) > 2 * set->slot_count)
        grow(set);
    const void **slot = find_slot(set, thing);
    if (*slot)
        return false;
    *slot = thing;
    set->count++;
    return true;
}

bool provider_set_contains(const struct provider_set *set, const void *thing)
{
    return set->count > 0 && *find_slot(set, thing);
}

void provider_set_clear(struct provider_set *set)
{
    free(set->slots);
    *set = (struct provider_set){0};
}
