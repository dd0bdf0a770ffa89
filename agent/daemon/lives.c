#include "agent/daemon/lives.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/xalloc.h"

static struct life_record *find_or_add(struct lives *lives, const char *consumer)
{
    for (size_t i = 0; i < lives->count; i++)
        if (strcmp(lives->records[i].consumer, consumer) == 0)
            return &lives->records[i];
    struct life_record *record = array_add(lives->records, lives->count);
    uuid_text_copy(record->consumer, consumer);
    return record;
}

static void record_clear(struct life_record *record)
{
    strlist_clear(&record->alone.allocations);
    strlist_clear(&record->stopped.allocations);
}

void lives_note(struct lives *lives, const char *domain, uint64_t life)
{
    struct life_record *record = find_or_add(lives, domain);
    record->running = life;
    if (record->looked != life)
        record->looked = 0;
}

void lives_clear(struct lives *lives)
{
    for (size_t i = 0; i < lives->count; i++)
        record_clear(&lives->records[i]);
    free(lives->records);
    *lives = (struct lives){0};
}

/* ---- allocations ---- */

static void add_allocation(struct strlist *list, const char *provider,
                           const char *resource_class, int64_t amount)
{
    strlist_add_take(list,
                     xasprintf("%s %s %" PRId64, provider, resource_class, amount));
}

struct strlist lives_allocations(const struct consumer_allocations *have,
                                 const struct strlist *providers)
{
    struct strlist list = {0};
    for (size_t i = 0; i < have->count; i++)
        if (strlist_contains(providers, have->items[i].provider))
            add_allocation(&list, have->items[i].provider,
                           have->items[i].resource_class, have->items[i].amount);
    strlist_sort(&list);
    return list;
}

struct strlist lives_allocations_seen(const struct observed *observed,
                                      const struct strlist *providers,
                                      const char *consumer)
{
    struct strlist list = {0};
    for (size_t i = 0; i < observed->provider_count; i++) {
        const struct observed_provider *provider = &observed->providers[i];
        bool counts = strlist_contains(providers, provider->provider.uuid);
        for (size_t j = 0; counts && j < provider->allocation_count; j++)
            if (strcmp(provider->allocations[j].consumer, consumer) == 0)
                add_allocation(&list, provider->provider.uuid,
                               provider->allocations[j].resource_class,
                               provider->allocations[j].amount);
    }
    strlist_sort(&list);
    return list;
}

/* ---- cycles ---- */

void lives_begin_cycle(struct lives *lives)
{
    for (size_t i = 0; i < lives->count; i++)
        lives->records[i].looked = lives->records[i].running;
}

/* Whether each consumer is a server with a domain here. */
static bool has_no_migration(const struct observed *observed,
                             const struct domains *view)
{
    if (!view->complete)
        return false;
    for (size_t i = 0; i < observed->provider_count; i++) {
        const struct observed_provider *provider = &observed->providers[i];
        for (size_t j = 0; j < provider->allocation_count; j++)
            if (!domains_find(view, provider->allocations[j].consumer))
                return false;
    }
    return true;
}

static void take_sight(struct life_sight *sight, uint64_t life,
                       struct strlist allocations)
{
    strlist_clear(&sight->allocations);
    *sight = (struct life_sight){life, allocations};
}

void lives_end_cycle(struct lives *lives, const struct observed *observed,
                     const struct strlist *providers, const struct domains *view)
{
    bool alone = has_no_migration(observed, view);
    size_t kept = 0;
    for (size_t i = 0; i < lives->count; i++) {
        struct life_record *record = &lives->records[i];
        if (alone && record->looked)
            take_sight(&record->alone, record->looked,
                       lives_allocations_seen(observed, providers, record->consumer));
        if (domains_find(view, record->consumer) ||
            observed_has_consumer(observed, record->consumer))
            lives->records[kept++] = *record;
        else
            record_clear(record);
    }
    lives->count = kept;
}

/* ---- answers ---- */

static bool was_other(const struct life_sight *sight, uint64_t life,
                      const struct strlist *allocations)
{
    return sight->life == life && !strlist_equal(&sight->allocations, allocations);
}

int64_t lives_count(struct lives *lives, const char *consumer, uint64_t life,
                    const struct strlist *allocations)
{
    if (life == 0)
        return 0;
    struct life_record *record = find_or_add(lives, consumer);
    bool changed = was_other(&record->alone, life, allocations) ||
                   was_other(&record->stopped, life, allocations);
    if (record->stopped.life != life)
        take_sight(&record->stopped, life, strlist_copy(allocations));
    if (changed)
        return LIVES_CHANGED;
    return record->alone.life == life ? LIVES_ALONE : 0;
}
