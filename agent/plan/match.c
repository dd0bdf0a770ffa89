#include "agent/plan/match.h"

#include <limits.h>
#include <string.h>

#include "lib/xalloc.h"

/* How many indexes beyond an allocation's amount are tried for a computed uuid: an
 * index moves on only where a uuid is another's already. */
#define SPARE_INDEXES 4
#define MAX_INDEXES 1024

static void give(struct held *held, struct want *want)
{
    if (held->want)
        held->want->met--;
    held->want = want;
    held->computed = held->numbered = false;
    want->met++;
}

static void give_lost(struct lost *lost, struct want *want)
{
    lost->want = want;
    want->met++;
}

static bool of_provider(const struct journal_device *entry, const struct want *want)
{
    return strcmp(entry->provider, want->subject->uuid) == 0;
}

/* The consumer has an allocation on this GPU. */
static bool is_consumer_here(const struct group *group, const char *uuid)
{
    for (size_t i = 0; i < group->want_count; i++)
        if (strcmp(group->wants[i].allocation->consumer, uuid) == 0)
            return true;
    return false;
}

static const char *domain_of(const struct held *held)
{
    return held->use && held->use->domain[0] ? held->use->domain : NULL;
}

/* ---- 1. the journal ---- */

/* Among a consumer's own devices, which to keep when it needs fewer: those in use
 * first. Less is better. */
static long own_rank(const struct world *world, const struct held *held,
                     const struct want *want)
{
    return (held_is_used(world, held) ? 0 : 4) +
           (of_provider(held->entry, want) ? 0 : 2) +
           (held->entry->released_at ? 1 : 0);
}

static bool better_own(const struct world *world, const struct held *a,
                       const struct held *b, const struct want *want)
{
    long x = own_rank(world, a, want), y = own_rank(world, b, want);
    return x != y ? x < y : a->entry->index < b->entry->index;
}

/* A consumer can have allocations on two providers of one card (one of them retired):
 * what belongs to the other provider is left for it at first. */
static struct held *best_own(const struct world *world, const struct want *want,
                             bool any_provider)
{
    const struct group *group = want->group;
    struct held *best = NULL;
    for (size_t i = 0; i < group->held_count; i++) {
        struct held *held = &group->held[i];
        if (!held->want && held->entry && entry_is_for(held->entry, want) &&
            (any_provider || of_provider(held->entry, want)) &&
            (!best || better_own(world, held, best, want)))
            best = held;
    }
    return best;
}

static void match_journal(struct world *world, struct group *group)
{
    for (int any_provider = 0; any_provider < 2; any_provider++)
        for (size_t i = 0; i < group->want_count; i++) {
            struct want *want = &group->wants[i];
            struct held *held;
            while (want_missing(want) > 0 &&
                   (held = best_own(world, want, any_provider)))
                give(held, want);
        }
    /* A choice between a consumer's devices was made, perhaps without knowing. */
    for (size_t i = 0; i < group->want_count; i++)
        if (!world->in->use && best_own(world, &group->wants[i], true))
            world->needs_use = true;
}

/* ---- 2. computed uuids ---- */

static bool has_foreign(const struct group *group)
{
    for (size_t i = 0; i < group->held_count; i++)
        if (held_is_foreign(&group->held[i]) && !group->held[i].want)
            return true;
    return false;
}

static struct held *find_held(struct group *group, const char *uuid)
{
    for (size_t i = 0; i < group->held_count; i++)
        if (strcmp(group->held[i].mdev->uuid, uuid) == 0)
            return &group->held[i];
    return NULL;
}

static void match_computed(struct group *group, struct want *want)
{
    int64_t amount = want->allocation->amount;
    unsigned end = amount > MAX_INDEXES ? MAX_INDEXES : (unsigned)amount;
    for (unsigned i = 0;
         i < end + SPARE_INDEXES && want_missing(want) > 0 && has_foreign(group); i++) {
        char uuid[UUID_TEXT_SIZE];
        want_computed_uuid(want, i, uuid);
        struct held *held = find_held(group, uuid);
        if (held && held_is_foreign(held) && !held->want && held_is_settled(held) &&
            (!domain_of(held) ||
             strcmp(domain_of(held), want->allocation->consumer) == 0)) {
            give(held, want);
            held->computed = true;
            held->index = i;
            held->numbered = true;
        }
    }
}

/* ---- 3. libvirt's domains ---- */

static void match_domain(struct group *group, struct want *want)
{
    for (size_t i = 0; i < group->held_count && want_missing(want) > 0; i++) {
        struct held *held = &group->held[i];
        const char *domain = domain_of(held);
        if (!domain || !held_is_settled(held) ||
            strcmp(domain, want->allocation->consumer) != 0)
            continue;
        /* The same consumer's other allocation keeps it. */
        if (held->want &&
            strcmp(held->want->allocation->consumer, want->allocation->consumer) == 0)
            continue;
        give(held, want);
    }
}

/* A lost device that the consumer's guest is configured with. */
static void match_lost_domain(const struct world *world, struct group *group,
                              struct want *want)
{
    for (size_t i = 0; i < group->lost_count && want_missing(want) > 0; i++) {
        struct lost *lost = &group->lost[i];
        const struct used_device *use =
            world->in->use ? device_use_find(world->in->use, lost->entry->uuid) : NULL;
        if (!lost->want && use && strcmp(use->domain, want->allocation->consumer) == 0)
            give_lost(lost, want);
    }
}

/* ---- 4. and 6. what was lost ---- */

static void match_lost_own(struct group *group, struct want *want, bool any_provider)
{
    for (size_t i = 0; i < group->lost_count && want_missing(want) > 0; i++) {
        struct lost *lost = &group->lost[i];
        if (!lost->want && entry_is_for(lost->entry, want) &&
            (any_provider || of_provider(lost->entry, want)))
            give_lost(lost, want);
    }
}

/* What was released already is gone for good. */
static bool is_left_over(const struct group *group, const struct journal_device *entry,
                         const struct want *want)
{
    return !entry->released_at &&
           strcmp(entry->resource_class, want->allocation->resource_class) == 0 &&
           !is_consumer_here(group, entry->consumer);
}

static void match_lost_of_gone(struct group *group, struct want *want)
{
    for (size_t i = 0; i < group->lost_count && want_missing(want) > 0; i++) {
        struct lost *lost = &group->lost[i];
        if (!lost->want && is_left_over(group, lost->entry, want))
            give_lost(lost, want);
    }
}

/* ---- 5. consumers that are gone ---- */

enum reuse { REUSE_FREE, REUSE_RENAMED, REUSE_NOT };

static enum reuse reuse_of(const struct held *held)
{
    const struct used_device *use = held->use;
    if (!use)
        return held_is_configured(held) ? REUSE_FREE : REUSE_NOT;
    /* The guest has no allocation here any more, yet it has the device: then the new
     * consumer is the migration that holds its place. Both change in one request: who
     * was seen to be gone before has not become the new one. */
    if (use->domain[0] && !use->defined && !held->entry->released_at &&
        !is_consumer_here(held->group, use->domain))
        return REUSE_RENAMED;
    return REUSE_NOT;
}

static void match_gone(struct group *group, struct want *want, enum reuse reuse)
{
    for (size_t i = 0; i < group->held_count && want_missing(want) > 0; i++) {
        struct held *held = &group->held[i];
        if (!held->want && held->entry && held_is_settled(held) &&
            strcmp(held->entry->resource_class, want->allocation->resource_class) ==
                0 &&
            reuse_of(held) == reuse)
            give(held, want);
    }
}

/* ---- 7. nobody's ---- */

static void match_idle(const struct world *world, struct group *group,
                       struct want *want)
{
    for (size_t i = 0; i < group->held_count && want_missing(want) > 0; i++) {
        struct held *held = &group->held[i];
        if (!held->want && !held->entry && held_is_settled(held) &&
            held_is_configured(held) && !held_is_used(world, held))
            give(held, want);
    }
}

/* ---- numbers ---- */

/* A device keeps its number as long as it is the same consumer's. */
static bool keeps_index(const struct journal_device *entry, const struct want *want)
{
    return entry && entry_is_for(entry, want) && !want_has_index(want, entry->index);
}

static unsigned free_index(const struct want *want)
{
    unsigned index = 0;
    while (want_has_index(want, index) || want_notes_index(want, index))
        index++;
    return index;
}

static void number(struct group *group)
{
    for (size_t i = 0; i < group->held_count; i++) {
        struct held *held = &group->held[i];
        if (held->want && !held->numbered && keeps_index(held->entry, held->want)) {
            held->index = held->entry->index;
            held->numbered = true;
        }
    }
    for (size_t i = 0; i < group->lost_count; i++) {
        struct lost *lost = &group->lost[i];
        if (lost->want && keeps_index(lost->entry, lost->want)) {
            lost->index = lost->entry->index;
            lost->numbered = true;
        }
    }
    for (size_t i = 0; i < group->held_count; i++) {
        struct held *held = &group->held[i];
        if (held->want && !held->numbered) {
            held->index = free_index(held->want);
            held->numbered = true;
        }
    }
    for (size_t i = 0; i < group->lost_count; i++) {
        struct lost *lost = &group->lost[i];
        if (lost->want && !lost->numbered) {
            lost->index = free_index(lost->want);
            lost->numbered = true;
        }
    }
}

/* ---- all of it ---- */

static bool all_met(const struct group *group)
{
    for (size_t i = 0; i < group->want_count; i++)
        if (want_missing(&group->wants[i]) > 0)
            return false;
    return true;
}

static bool has_idle(const struct world *world, const struct group *group)
{
    for (size_t i = 0; i < group->held_count; i++) {
        const struct held *held = &group->held[i];
        if (!held->want && held_is_configured(held) &&
            (held_is_foreign(held) || held_is_overdue(world, held)))
            return true;
    }
    return false;
}

static void match_missing(const struct world *world, struct group *group)
{
    struct want *end = group->wants + group->want_count;
    for (struct want *want = group->wants; want < end; want++)
        match_computed(group, want);
    for (struct want *want = group->wants; want < end; want++)
        match_domain(group, want);
    for (struct want *want = group->wants; want < end; want++)
        match_lost_domain(world, group, want);
    for (struct want *want = group->wants; want < end; want++)
        match_lost_own(group, want, false);
    for (struct want *want = group->wants; want < end; want++)
        match_lost_own(group, want, true);
    for (struct want *want = group->wants; want < end; want++)
        match_gone(group, want, REUSE_FREE);
    for (struct want *want = group->wants; want < end; want++)
        match_gone(group, want, REUSE_RENAMED);
    for (struct want *want = group->wants; want < end; want++)
        match_lost_of_gone(group, want);
    for (struct want *want = group->wants; want < end; want++)
        match_idle(world, group, want);
}

void match_devices(struct world *world, struct group *group)
{
    match_journal(world, group);
    if (!all_met(group)) {
        /* Devices may change hands. */
        if (!world->in->use && group->held_count + group->lost_count)
            world->needs_use = true;
        match_missing(world, group);
    }
    /* What nobody has is capacity, what somebody has is none. */
    if (!world->in->use && has_idle(world, group))
        world->needs_use = true;
    number(group);
}
