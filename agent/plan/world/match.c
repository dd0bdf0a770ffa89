#include "agent/plan/world/match.h"

#include <string.h>

#include "agent/plan/world/managed.h"
#include "agent/plan/world/migration.h"
#include "agent/plan/world/origin.h"
#include "agent/plan/world/ownership.h"
#include "agent/plan/world/want_type.h"

static void give(struct present *present, struct want *want)
{
    if (present->want)
        present->want->met--;
    present->want = want;
    present->stays = present->computed = present->numbered = false;
    want->met++;
}

static void give_lost(struct lost *lost, struct want *want)
{
    lost->want = want;
    want->met++;
}

static bool of_provider(const struct journal_device *entry, const struct want *want)
{
    return strcmp(entry->provider, want->managed->uuid) == 0;
}

/* ---- 1. the journal ---- */

/* Ranks a consumer's own devices for the case that it needs fewer than it has. Lower is
 * better: devices in use are kept first. */
static long own_rank(const struct world *world, const struct present *present,
                     const struct want *want)
{
    return (present_is_used(world, present) ? 0 : 4) +
           (of_provider(present->entry, want) ? 0 : 2) +
           (present->entry->released_at ? 1 : 0);
}

static bool better_own(const struct world *world, const struct present *a,
                       const struct present *b, const struct want *want)
{
    long x = own_rank(world, a, want), y = own_rank(world, b, want);
    return x != y ? x < y : a->entry->index < b->entry->index;
}

static bool takes_entry(const struct want *want, const struct journal_device *entry)
{
    return want_takes_type(want, entry->type_id, entry->type_name);
}

/* The best of the consumer's own devices that is still unmatched. A consumer can have
 * allocations on two providers of one card (one of them retired), so at first devices
 * of the other provider are left for that allocation. */
static struct present *best_own(const struct world *world, const struct want *want,
                                bool any_provider)
{
    const struct group *group = want->group;
    struct present *best = NULL;
    for (size_t i = 0; i < group->present_count; i++) {
        struct present *present = &group->present[i];
        if (!present->want && present->entry && entry_is_for(present->entry, want) &&
            !use_is_anothers(present->use, want->allocation->consumer) &&
            (of_provider(present->entry, want) ||
             (any_provider && takes_entry(want, present->entry))) &&
            (!best || better_own(world, present, best, want)))
            best = present;
    }
    return best;
}

/* Matches a consumer's own device. A released device may be used by another domain by
 * now. */
static void take_own(struct world *world, struct present *present, struct want *want)
{
    if (present->entry->released_at && !world->in->use)
        world->needs_use = true;
    give(present, want);
}

static void match_journal(struct world *world, struct group *group)
{
    for (int any_provider = 0; any_provider < 2; any_provider++)
        for (size_t i = 0; i < group->want_count; i++) {
            struct want *want = &group->wants[i];
            struct present *present;
            while (want_missing(want) > 0 &&
                   (present = best_own(world, want, any_provider)))
                take_own(world, present, want);
        }
    /* A consumer with more devices than units: which ones it keeps depends on which are
     * in use. */
    for (size_t i = 0; i < group->want_count; i++)
        if (!world->in->use && best_own(world, &group->wants[i], true))
            world->needs_use = true;
}

/* ---- 3. computed uuids ---- */

static bool has_foreign(const struct group *group)
{
    for (size_t i = 0; i < group->present_count; i++)
        if (present_is_foreign(&group->present[i]) && !group->present[i].hand &&
            !group->present[i].want)
            return true;
    return false;
}

static struct present *find_present(struct group *group, const char *uuid)
{
    for (size_t i = 0; i < group->present_count; i++)
        if (strcmp(group->present[i].device->uuid, uuid) == 0)
            return &group->present[i];
    return NULL;
}

static void match_computed(const struct world *world, struct group *group,
                           struct want *want)
{
    unsigned end = want_index_end(want);
    for (unsigned i = 0; i < end && want_missing(want) > 0 && has_foreign(group); i++) {
        char uuid[UUID_TEXT_SIZE];
        want_computed_uuid(want, i, uuid);
        struct present *present = find_present(group, uuid);
        if (present && present_is_foreign(present) && !present->hand &&
            !present->want && present_is_settled(present) &&
            !refusal_of(world, present) &&
            !use_is_anothers(present->use, want->allocation->consumer)) {
            give(present, want);
            present->computed = true;
            present->index = i;
            present->numbered = true;
        }
    }
}

/* ---- 4. libvirt's domains ---- */

static bool is_named_by(const struct used_device *use, const struct want *want)
{
    return use && use->domain[0] && !use_is_anothers(use, want->allocation->consumer);
}

static void match_domain(struct group *group, struct want *want)
{
    for (size_t i = 0; i < group->present_count && want_missing(want) > 0; i++) {
        struct present *present = &group->present[i];
        if (present->hand || !present_is_settled(present) ||
            !is_named_by(present->use, want) ||
            !want_takes_type(want, present->device->type_id, NULL))
            continue;
        /* When several domains only define the device, the one that is matched already
         * keeps it; so does another allocation of the same consumer. */
        if (present->want &&
            !use_is_anothers(present->use, present->want->allocation->consumer))
            continue;
        give(present, want);
    }
}

/* Matches lost devices that the consumer's own domain names. */
static void match_lost_domain(struct group *group, struct want *want)
{
    for (size_t i = 0; i < group->lost_count && want_missing(want) > 0; i++)
        if (!group->lost[i].want && is_named_by(group->lost[i].use, want) &&
            takes_entry(want, group->lost[i].entry))
            give_lost(&group->lost[i], want);
}

/* ---- 5. lost devices ---- */

static void match_lost_own(struct group *group, struct want *want, bool any_provider)
{
    for (size_t i = 0; i < group->lost_count && want_missing(want) > 0; i++) {
        struct lost *lost = &group->lost[i];
        if (!lost->want && entry_is_for(lost->entry, want) &&
            !use_is_anothers(lost->use, want->allocation->consumer) &&
            (of_provider(lost->entry, want) ||
             (any_provider && takes_entry(want, lost->entry))))
            give_lost(lost, want);
    }
}

/* ---- 7. devices that belong to nobody ---- */

/* On a card with several types the device is of the type that the want means. */
static bool is_of_type(const struct present *present, const struct want *want)
{
    const char *type_id = want_type_id(want);
    if (!present->group->several)
        return present_is_configured(present);
    if (want->managed->desired && want->managed->desired->type_id)
        return present_is_of(present, want->managed);
    return type_id && strcmp(present->device->type_id, type_id) == 0 &&
           present_is_configured(present);
}

/* A unit that is for one consumer stays reserved until an operator has cleaned it. */
static bool is_used_up(const struct present *present, const struct want *want)
{
    return present->entry && managed_is_for_one_use(want->managed) &&
           strcmp(present->entry->consumer, want->allocation->consumer) != 0;
}

static bool is_to_be_had(const struct world *world, const struct present *present,
                         const struct want *want)
{
    return !present->want && !present->hand && present_is_settled(present) &&
           !is_used_up(present, want) && is_of_type(present, want) &&
           !present_is_out_of_sight(world, present) && !refusal_of(world, present) &&
           possession_of(world, present->use, present->entry,
                         want->allocation->consumer) == POSSESSED_BY_NONE;
}

static void match_gone(const struct world *world, struct group *group,
                       struct want *want)
{
    for (size_t i = 0; i < group->present_count && want_unnamed(want) > 0; i++) {
        struct present *present = &group->present[i];
        if (present->entry &&
            strcmp(present->entry->resource_class, want->allocation->resource_class) ==
                0 &&
            is_to_be_had(world, present, want))
            give(present, want);
    }
}

static void match_idle(const struct world *world, struct group *group,
                       struct want *want)
{
    for (size_t i = 0; i < group->present_count && want_unnamed(want) > 0; i++)
        if (!group->present[i].entry && is_to_be_had(world, &group->present[i], want))
            give(&group->present[i], want);
}

/* ---- indexes ---- */

/* True when a device keeps its index: it must still be the same consumer's. */
static bool keeps_index(const struct journal_device *entry, const struct want *want)
{
    return entry && entry_is_for(entry, want) && !want_has_index(want, entry->index);
}

/* The index of an existing device. A device that the host identifies only by its
 * address gets its uuid from its index, and the journal may still have that uuid for a
 * device that another consumer has now. Such an index is skipped. */
static unsigned index_of_present(const struct world *world,
                                 const struct present *present)
{
    char uuid[UUID_TEXT_SIZE];
    unsigned index = want_free_index(present->want, 0);
    while (!present->entry && !*present->device->uuid) {
        want_computed_uuid(present->want, index, uuid);
        if (!journal_find_device(world->in->journal, uuid))
            break;
        index = want_free_index(present->want, index + 1);
    }
    return index;
}

static void number(const struct world *world, struct group *group)
{
    for (size_t i = 0; i < group->present_count; i++) {
        struct present *present = &group->present[i];
        if (present->want && !present->stays && !present->numbered &&
            keeps_index(present->entry, present->want)) {
            present->index = present->entry->index;
            present->numbered = true;
        }
    }
    for (size_t i = 0; i < group->lost_count; i++) {
        struct lost *lost = &group->lost[i];
        if (lost->want && !lost->stays && keeps_index(lost->entry, lost->want)) {
            lost->index = lost->entry->index;
            lost->numbered = true;
        }
    }
    for (size_t i = 0; i < group->present_count; i++) {
        struct present *present = &group->present[i];
        if (present->want && !present->stays && !present->numbered) {
            present->index = index_of_present(world, present);
            present->numbered = true;
        }
    }
    for (size_t i = 0; i < group->lost_count; i++) {
        struct lost *lost = &group->lost[i];
        if (lost->want && !lost->stays && !lost->numbered) {
            lost->index = want_free_index(lost->want, 0);
            lost->numbered = true;
        }
    }
}

/* ---- all matches ---- */

static bool all_met(const struct group *group)
{
    for (size_t i = 0; i < group->want_count; i++)
        if (want_missing(&group->wants[i]) > 0)
            return false;
    return true;
}

/* True when unmatched devices of the configured type exist. They count as capacity only
 * if nobody uses them, so that must be known. */
static bool has_rest(const struct group *group)
{
    for (size_t i = 0; i < group->present_count; i++)
        if (!group->present[i].want && !group->present[i].hand &&
            present_is_configured(&group->present[i]))
            return true;
    return false;
}

static void match_missing(struct world *world, struct group *group)
{
    struct want *end = group->wants + group->want_count;
    for (struct want *want = group->wants; want < end; want++)
        match_computed(world, group, want);
    for (struct want *want = group->wants; want < end; want++)
        match_domain(group, want);
    for (struct want *want = group->wants; want < end; want++)
        match_lost_domain(group, want);
    for (struct want *want = group->wants; want < end; want++)
        match_lost_own(group, want, false);
    for (struct want *want = group->wants; want < end; want++)
        match_lost_own(group, want, true);
    /* Its guest would not start without them, whatever else it is given. */
    for (struct want *want = group->wants; want < end; want++)
        origin_find_absent(world, want);
    migrations_recognise(world, group);
    for (struct want *want = group->wants; want < end; want++)
        match_gone(world, group, want);
    for (struct want *want = group->wants; want < end; want++)
        match_idle(world, group, want);
}

void match_devices(struct world *world, struct group *group)
{
    match_journal(world, group);
    migrations_keep(world, group);
    if (!all_met(group)) {
        /* Devices may be given to another consumer, so it must be known who uses
         * them. */
        if (!world->in->use && group->present_count + group->lost_count)
            world->needs_use = true;
        match_missing(world, group);
    }
    if (!world->in->use && has_rest(group))
        world->needs_use = true;
    number(world, group);
}
