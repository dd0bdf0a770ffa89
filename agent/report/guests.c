#include "agent/report/guests.h"

#include <string.h>

#include "lib/xalloc.h"

static void clear_row(struct guest_row *row)
{
    strlist_clear(&row->devices);
    free(row->reason);
}

void guests_clear(struct guests *guests)
{
    for (size_t i = 0; i < guests->count; i++)
        clear_row(&guests->rows[i]);
    free(guests->rows);
    *guests = (struct guests){0};
}

static struct guest_row *find(const struct guests *guests, const char *consumer)
{
    for (size_t i = 0; i < guests->count; i++)
        if (strcmp(guests->rows[i].consumer, consumer) == 0)
            return &guests->rows[i];
    return NULL;
}

const struct guest_row *guests_find(const struct guests *guests, const char *consumer)
{
    return find(guests, consumer);
}

const char *guest_row_state(const struct guest_row *row)
{
    return row->known ? guest_state_name(row->state) : "unknown";
}

/* ---- who is to have what ---- */

/* The address of a device that an allocation names by its uuid. */
static const char *address_of(const struct cycle *cycle, const char *uuid)
{
    const struct journal_device *entry = journal_find_device(cycle->journal, uuid);
    if (entry && *entry->address)
        return entry->address;
    const struct device *device = host_device(cycle->host, uuid, NULL, NULL);
    return device ? device->address : uuid;
}

static struct guest_row *row_of(struct guests *guests, const char *consumer)
{
    struct guest_row *row = find(guests, consumer);
    if (row)
        return row;
    row = array_add(guests->rows, guests->count);
    uuid_text_copy(row->consumer, consumer);
    row->lacking_since = -1;
    return row;
}

static void add_allocation(struct guests *guests, const struct cycle *cycle,
                           const struct allocation_status *status)
{
    struct guest_row *row = row_of(guests, status->consumer);
    row->units += status->amount;
    for (size_t i = 0; i < status->devices.count; i++)
        strlist_add_unique(&row->devices, address_of(cycle, status->devices.items[i]));
}

/* What is known of the guest, without its devices. */
static void keep(struct guest_row *to, struct guest_row *from)
{
    to->known = from->known;
    to->state = from->state;
    to->since = from->since;
    to->lacking_since = from->lacking_since;
    to->reason = steal(from->reason);
}

static int by_consumer(const void *a, const void *b)
{
    return strcmp(((const struct guest_row *)a)->consumer,
                  ((const struct guest_row *)b)->consumer);
}

void guests_note_plan(struct guests *guests, const struct cycle *cycle)
{
    const struct plan *plan = cycle_plan(cycle);
    struct guests now = {0};
    for (size_t i = 0; i < plan->allocation_count; i++)
        /* The guest of a migration has the server's uuid. */
        if (plan->allocations[i].state != ALLOCATION_RELEASING &&
            plan->allocations[i].state != ALLOCATION_MIGRATING)
            add_allocation(&now, cycle, &plan->allocations[i]);
    for (size_t i = 0; i < now.count; i++) {
        struct guest_row *before = find(guests, now.rows[i].consumer);
        if (before)
            keep(&now.rows[i], before);
    }
    if (now.count)
        qsort(now.rows, now.count, sizeof *now.rows, by_consumer);
    guests_clear(guests);
    *guests = now;
}

void guests_note_healed(struct guests *guests, const struct wanted_table *table)
{
    for (size_t i = 0; i < table->count; i++) {
        const struct wanted *wanted = &table->consumers[i];
        struct guest_row *row = find(guests, wanted->consumer);
        for (size_t j = 0; row && wanted->heals && j < wanted->count; j++)
            strlist_add_unique(&row->devices, wanted->devices[j].address);
    }
}

/* ---- what they have ---- */

static int64_t count_named(const struct guest_row *row, const struct strlist *addresses)
{
    int64_t count = 0;
    for (size_t i = 0; i < row->devices.count; i++)
        count += strlist_contains(addresses, row->devices.items[i]);
    return count;
}

/* False: it cannot be seen. */
static bool see(const struct guest_row *row, const struct guests_sight *sight,
                enum guest_state *state)
{
    const struct domain *domain = domains_find(sight->domains, row->consumer);
    if (domain && domain->running) {
        *state = count_named(row, &domain->live) >= row->units ? GUEST_ATTACHED
                 : count_named(row, &domain->configured) >= row->units
                     ? GUEST_AT_NEXT_START
                     : GUEST_MISSES;
        return true;
    }
    if (!sight->sees_running || !sight->sees_defined)
        return false;
    *state = !domain                                               ? GUEST_ABSENT
             : count_named(row, &domain->configured) >= row->units ? GUEST_CONFIGURED
                                                                   : GUEST_MISSES;
    return true;
}

static const struct guest_word *word_of(const struct guests_sight *sight,
                                        const char *consumer)
{
    for (size_t i = 0; i < sight->word_count; i++)
        if (strcmp(sight->words[i].consumer, consumer) == 0)
            return &sight->words[i];
    return NULL;
}

static bool is_lack(enum guest_state state)
{
    return state == GUEST_MISSES || state == GUEST_AT_NEXT_START;
}

/* Why the guest lacks a device, where the program knows more than what can be seen. */
static const char *take_word(const struct guest_row *row,
                             const struct guests_sight *sight, enum guest_state *state)
{
    const struct guest_word *word = word_of(sight, row->consumer);
    if (!is_lack(*state))
        return NULL;
    if (word && (word->state == GUEST_WAITS_FOR_PORT || word->state == GUEST_FAILED)) {
        *state = word->state;
        return word->reason || word->state == GUEST_FAILED
                   ? word->reason
                   : "no port of it is free, so that only its next start gives it";
    }
    return *state == GUEST_MISSES ? sight->nobody
                                  : "its configuration has it, so that its next start "
                                    "gives it";
}

static bool runs(const struct guest_row *row, const struct guests_sight *sight)
{
    const struct domain *domain = domains_find(sight->domains, row->consumer);
    return domain && domain->running;
}

static void set_reason(struct guest_row *row, const char *reason)
{
    if (row->reason && reason && strcmp(row->reason, reason) == 0)
        return;
    free(row->reason);
    row->reason = xstrdup(reason);
}

static void look(struct guest_row *row, const struct guests_sight *sight)
{
    enum guest_state state = GUEST_ABSENT;
    bool known = see(row, sight, &state);
    bool lacks = known && runs(row, sight) && state != GUEST_ATTACHED;
    const char *reason = known ? take_word(row, sight, &state) : NULL;
    if (row->since == 0 || row->known != known || (known && row->state != state))
        row->since = sight->time;
    row->known = known;
    row->state = state;
    set_reason(row, reason);
    if (!lacks)
        row->lacking_since = -1;
    else if (row->lacking_since < 0)
        row->lacking_since = sight->now;
}

void guests_note_domains(struct guests *guests, const struct guests_sight *sight)
{
    for (size_t i = 0; i < guests->count; i++)
        look(&guests->rows[i], sight);
}

/* ---- what is not well ---- */

bool guest_is_overdue(const struct guest_row *row, int64_t now)
{
    return row->lacking_since >= 0 && now >= row->lacking_since + GUESTS_PATIENCE;
}

int64_t guests_problems(const struct guests *guests, int64_t now,
                        struct problem_list *out)
{
    int64_t next = -1;
    for (size_t i = 0; i < guests->count; i++) {
        const struct guest_row *row = &guests->rows[i];
        if (row->lacking_since < 0)
            continue;
        if (!guest_is_overdue(row, now)) {
            int64_t due = row->lacking_since + GUESTS_PATIENCE;
            next = next < 0 || due < next ? due : next;
            continue;
        }
        _cleanup_free_ char *about = xasprintf("guest %s", row->consumer);
        problems_add_take(out, about,
                          xasprintf("the guest of consumer %s runs for more than a "
                                    "minute without what is allocated to it (%s)%s%s",
                                    row->consumer, guest_row_state(row),
                                    row->reason ? ": " : "",
                                    row->reason ? row->reason : ""));
    }
    return next;
}
