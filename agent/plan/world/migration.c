#include "agent/plan/world/migration.h"

#include <string.h>

#include "agent/plan/world/ownership.h"
#include "lib/xalloc.h"

static void let_stand(struct present *present, struct want *want)
{
    present->want = want;
    present->stays = true;
    want->met++;
}

static void let_lost_stand(struct lost *lost, struct want *want)
{
    lost->want = want;
    lost->stays = true;
    want->met++;
}

/* ---- migrations in the journal ---- */

static bool stands_for(const struct group *group, const struct journal_device *entry,
                       const struct want *want)
{
    return entry && strcmp(entry->migration, want->allocation->consumer) == 0 &&
           strcmp(entry->provider, want->managed->uuid) == 0 &&
           strcmp(entry->resource_class, want->allocation->resource_class) == 0 &&
           !is_consumer_here(group, entry->consumer);
}

static bool is_kept(enum possession possession)
{
    return possession == POSSESSED || possession == POSSESSION_UNKNOWN;
}

static void keep_present(const struct world *world, struct present *present,
                         struct want *want)
{
    if (is_server(world, want->allocation->consumer))
        return;
    if (!present_is_settled(present) ||
        is_kept(possession_of(world, present->use, present->entry,
                              present->entry->consumer)))
        let_stand(present, want);
}

/* Matches a lost device of a known migration. When no domain names it any more, it is
 * made again for the migration under the same uuid, so that the uuid exists if the
 * migration is reverted. */
static void keep_lost(const struct world *world, struct lost *lost, struct want *want)
{
    enum possession possession =
        possession_of(world, lost->use, lost->entry, lost->entry->consumer);
    if (is_server(world, want->allocation->consumer))
        return;
    if (is_kept(possession)) {
        let_lost_stand(lost, want);
    } else if (possession == POSSESSED_BY_NONE) {
        lost->want = want;
        want->met++;
    }
}

void migrations_keep(struct world *world, struct group *group)
{
    for (size_t i = 0; i < group->want_count; i++) {
        struct want *want = &group->wants[i];
        for (size_t j = 0; j < group->present_count && want_missing(want) > 0; j++)
            if (!group->present[j].want &&
                stands_for(group, group->present[j].entry, want)) {
                world->needs_use |= !world->in->use;
                keep_present(world, &group->present[j], want);
            }
        for (size_t j = 0; j < group->lost_count && want_missing(want) > 0; j++)
            if (!group->lost[j].want && stands_for(group, group->lost[j].entry, want)) {
                world->needs_use |= !world->in->use;
                keep_lost(world, &group->lost[j], want);
            }
    }
}

/* ---- allocations that have gone ---- */

/* The devices of one consumer, provider and class that have lost their allocation. */
struct departure {
    const char *provider, *consumer, *resource_class;
    int64_t units;
    bool kept;    /* the consumer still has some of them */
    bool unclear; /* that cannot be seen for some of them */
};

struct departures {
    struct departure *list;
    size_t count;
};

static struct departure *departure_of(struct departures *departures,
                                      const struct journal_device *entry)
{
    for (size_t i = 0; i < departures->count; i++) {
        struct departure *departure = &departures->list[i];
        if (strcmp(departure->consumer, entry->consumer) == 0 &&
            strcmp(departure->provider, entry->provider) == 0 &&
            strcmp(departure->resource_class, entry->resource_class) == 0)
            return departure;
    }
    struct departure *departure = array_add(departures->list, departures->count);
    departure->provider = entry->provider;
    departure->consumer = entry->consumer;
    departure->resource_class = entry->resource_class;
    return departure;
}

/* True when the entry's allocation has gone since the last look. That is not so when
 * the device was released before, or when its consumer still has an allocation here. */
static bool has_gone(const struct group *group, const struct journal_device *entry)
{
    return entry && !entry->released_at && !is_consumer_here(group, entry->consumer);
}

static void add_departure(struct departures *departures,
                          const struct journal_device *entry,
                          enum possession possession)
{
    if (possession == POSSESSED_BY_ANOTHER)
        return;
    struct departure *departure = departure_of(departures, entry);
    departure->units++;
    departure->kept |= possession == POSSESSED;
    departure->unclear |= possession == POSSESSION_UNKNOWN;
}

static struct departures find_departures(const struct world *world,
                                         const struct group *group)
{
    struct departures departures = {0};
    for (size_t i = 0; i < group->present_count; i++) {
        const struct present *present = &group->present[i];
        if (!present->want && has_gone(group, present->entry))
            add_departure(&departures, present->entry,
                          present_is_settled(present)
                              ? possession_of(world, present->use, present->entry,
                                              present->entry->consumer)
                              : POSSESSION_UNKNOWN);
    }
    for (size_t i = 0; i < group->lost_count; i++) {
        const struct lost *lost = &group->lost[i];
        if (!lost->want && has_gone(group, lost->entry))
            add_departure(
                &departures, lost->entry,
                possession_of(world, lost->use, lost->entry, lost->entry->consumer));
    }
    return departures;
}

/* ---- allocations that have come ---- */

static bool has_devices_noted(const struct group *group, const char *consumer)
{
    for (size_t i = 0; i < group->present_count; i++)
        if (group->present[i].entry &&
            strcmp(group->present[i].entry->consumer, consumer) == 0)
            return true;
    for (size_t i = 0; i < group->lost_count; i++)
        if (strcmp(group->lost[i].entry->consumer, consumer) == 0)
            return true;
    return false;
}

struct arrivals {
    struct want **list;
    size_t count;
};

static struct arrivals find_arrivals(const struct world *world, struct group *group)
{
    struct arrivals arrivals = {.list = xcalloc(group->want_count, sizeof(void *))};
    for (size_t i = 0; i < group->want_count; i++) {
        struct want *want = &group->wants[i];
        if (want->met == 0 && !is_server(world, want->allocation->consumer) &&
            !has_devices_noted(group, want->allocation->consumer))
            arrivals.list[arrivals.count++] = want;
    }
    return arrivals;
}

/* ---- new migrations ---- */

static bool is_alike(const struct departure *departure, const struct want *want)
{
    return departure->units == want->allocation->amount &&
           strcmp(departure->provider, want->managed->uuid) == 0 &&
           strcmp(departure->resource_class, want->allocation->resource_class) == 0;
}

static bool are_alike(const struct want *a, const struct want *b)
{
    return a->allocation->amount == b->allocation->amount && a->managed == b->managed &&
           strcmp(a->allocation->resource_class, b->allocation->resource_class) == 0;
}

/* The departure that belongs to the arrival, by their order among those of the same
 * provider, class and amount. NULL: there are not as many departures as arrivals, or it
 * is not clear or not the same for all of the departures whether the consumer still has
 * its devices. */
static const struct departure *find_partner(const struct departures *departures,
                                            const struct arrivals *arrivals,
                                            size_t position)
{
    const struct want *want = arrivals->list[position];
    const struct departure *partner = NULL, *first = NULL;
    size_t before = 0, came = 0, went = 0;
    for (size_t i = 0; i < arrivals->count; i++) {
        came += are_alike(arrivals->list[i], want);
        before += i < position && are_alike(arrivals->list[i], want);
    }
    for (size_t i = 0; i < departures->count; i++) {
        const struct departure *departure = &departures->list[i];
        if (!is_alike(departure, want))
            continue;
        if (!first)
            first = departure;
        if (departure->unclear || departure->kept != first->kept)
            return NULL;
        if (went++ == before)
            partner = departure;
    }
    return came == went ? partner : NULL;
}

static bool is_of(const struct journal_device *entry, const struct departure *departure)
{
    return entry && !entry->released_at &&
           strcmp(entry->consumer, departure->consumer) == 0 &&
           strcmp(entry->provider, departure->provider) == 0 &&
           strcmp(entry->resource_class, departure->resource_class) == 0;
}

static void join(const struct world *world, struct group *group,
                 const struct departure *departure, struct want *want)
{
    for (size_t i = 0; i < group->present_count && want_missing(want) > 0; i++) {
        struct present *present = &group->present[i];
        if (!present->want && is_of(present->entry, departure) &&
            present_is_settled(present) &&
            possession_of(world, present->use, present->entry, departure->consumer) ==
                POSSESSED)
            let_stand(present, want);
    }
    for (size_t i = 0; i < group->lost_count && want_missing(want) > 0; i++) {
        struct lost *lost = &group->lost[i];
        if (!lost->want && is_of(lost->entry, departure))
            keep_lost(world, lost, want);
    }
}

void migrations_recognise(struct world *world, struct group *group)
{
    if (!world->in->use)
        return;
    struct departures departures = find_departures(world, group);
    struct arrivals arrivals = find_arrivals(world, group);
    for (size_t i = 0; i < arrivals.count; i++) {
        const struct departure *partner = find_partner(&departures, &arrivals, i);
        if (partner)
            join(world, group, partner, arrivals.list[i]);
    }
    free(departures.list);
    free(arrivals.list);
}
