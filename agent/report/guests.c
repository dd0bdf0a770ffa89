#include "agent/report/guests.h"

#include <string.h>

#include "agent/report/consumer_devices.h"
#include "lib/xalloc.h"

static void clear_row(struct guest_row *row)
{
    strlist_clear(&row->devices);
    strlist_clear(&row->surplus);
    free(row->reason);
}

static void clear_rows(struct guest_row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++)
        clear_row(&rows[i]);
    free(rows);
}

void guests_clear(struct guests *guests)
{
    clear_rows(guests->rows, guests->count);
    clear_rows(guests->strangers, guests->stranger_count);
    strlist_clear(&guests->present);
    strlist_clear(&guests->made);
    strlist_clear(&guests->consumers);
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

size_t guests_count(const struct guests *guests, const enum guest_state *state)
{
    size_t count = 0;
    for (size_t i = 0; i < guests->count; i++)
        count += state ? guests->rows[i].known && guests->rows[i].state == *state
                       : !guests->rows[i].known;
    return count;
}

const char *guest_row_state(const struct guest_row *row)
{
    return row->known ? guest_state_name(row->state) : "unknown";
}

/* ---- who is to have what ---- */

static struct guest_row *row_of(struct guests *guests, const char *consumer)
{
    struct guest_row *row = find(guests, consumer);
    if (row)
        return row;
    row = array_add(guests->rows, guests->count);
    uuid_text_copy(row->consumer, consumer);
    row->lacking_since = row->surplus_since = -1;
    return row;
}

static void add_allocation(struct guests *guests, const struct cycle *cycle,
                           const struct allocation_status *status)
{
    struct guest_row *row = row_of(guests, status->consumer);
    row->units += status->amount;
    for (size_t i = 0; i < status->devices.count; i++) {
        const char *address = device_address_of_uuid(cycle, status->devices.items[i]);
        const struct device *device = host_device(cycle->host, address, NULL, NULL);
        if (!strlist_add_unique(&row->devices, address) || !device)
            continue;
        /* A guest has a card when it has all its functions. */
        for (size_t j = 0; j < device->functions.count; j++)
            row->units += strlist_add_unique(&row->devices, device->functions.items[j]);
    }
}

/* What is known of the guest, without its devices. */
static void keep(struct guest_row *to, struct guest_row *from)
{
    to->known = from->known;
    to->state = from->state;
    to->since = from->since;
    to->lacking_since = from->lacking_since;
    to->surplus_since = from->surplus_since;
    to->surplus = from->surplus;
    from->surplus = (struct strlist){0};
    to->reason = steal(from->reason);
}

static struct strlist addresses_of(const struct host *host)
{
    struct strlist all = {0};
    for (size_t i = 0; i < host->gpu_count; i++)
        for (size_t j = 0; j < host->gpus[i].parent_count; j++) {
            const struct parent *parent = &host->gpus[i].parents[j];
            for (size_t k = 0; k < parent->device_count; k++)
                strlist_add(&all, parent->devices[k].address);
        }
    return all;
}

static void add_consumers(const struct observed_provider *provider,
                          struct strlist *consumers)
{
    for (size_t i = 0; i < provider->allocation_count; i++)
        strlist_add(consumers, provider->allocations[i].consumer);
}

/* Of a device whose provider was not read it is not known whether it is allocated. */
static void note_made(struct guests *guests, const struct cycle *cycle)
{
    const struct observed *observed = cycle->observed;
    for (size_t i = 0; observed && i < observed->provider_count; i++)
        add_consumers(&observed->providers[i], &guests->consumers);
    strlist_sort_unique(&guests->consumers);
    for (size_t i = 0; observed && i < cycle->journal->device_count; i++) {
        const struct journal_device *entry = &cycle->journal->devices[i];
        const struct observed_provider *provider =
            observed_by_uuid(observed, entry->provider);
        if (!entry->adopted && !entry->by_hand && !*entry->migration && provider &&
            provider->detailed)
            strlist_add(&guests->made, entry->address);
    }
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
        if (allocation_is_a_guests(&plan->allocations[i]))
            add_allocation(&now, cycle, &plan->allocations[i]);
    for (size_t i = 0; i < now.count; i++) {
        struct guest_row *before = find(guests, now.rows[i].consumer);
        if (before)
            keep(&now.rows[i], before);
    }
    if (cycle->config && cycle->config->agent.mode == MODE_OWNER) {
        now.present = addresses_of(cycle->host);
        note_made(&now, cycle);
    }
    now.strangers = steal(guests->strangers);
    now.stranger_count = guests->stranger_count;
    guests->stranger_count = 0;
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

/* `domain` may be NULL. */
static void look_for_surplus(struct guest_row *row, const struct strlist *addresses,
                             const struct domain *domain,
                             const struct guests_sight *sight)
{
    strlist_clear(&row->surplus);
    for (size_t i = 0; domain && domain->running && i < domain->live.count; i++)
        if (strlist_contains(addresses, domain->live.items[i]) &&
            !strlist_contains(&row->devices, domain->live.items[i]))
            strlist_add(&row->surplus, domain->live.items[i]);
    if (row->surplus.count == 0)
        row->surplus_since = -1;
    else if (row->surplus_since < 0)
        row->surplus_since = sight->now;
}

static void look_for_strangers(struct guests *guests, const struct guests_sight *sight)
{
    _cleanup_guests_ struct guests before = {0};
    before.rows = steal(guests->strangers);
    before.count = guests->stranger_count;
    guests->stranger_count = 0;
    for (size_t i = 0; i < sight->domains->count; i++) {
        const struct domain *domain = &sight->domains->items[i];
        struct guest_row row = {0};
        if (!*domain->uuid || find(guests, domain->uuid) ||
            strlist_sorted_contains(&guests->consumers, domain->uuid))
            continue;
        uuid_text_copy(row.consumer, domain->uuid);
        const struct guest_row *known = find(&before, domain->uuid);
        row.surplus_since = known ? known->surplus_since : -1;
        look_for_surplus(&row, &guests->made, domain, sight);
        if (row.surplus.count)
            *array_add(guests->strangers, guests->stranger_count) = row;
    }
}

void guests_note_domains(struct guests *guests, const struct guests_sight *sight)
{
    for (size_t i = 0; i < guests->count; i++) {
        struct guest_row *row = &guests->rows[i];
        look(row, sight);
        look_for_surplus(row, &guests->present,
                         domains_find(sight->domains, row->consumer), sight);
    }
    look_for_strangers(guests, sight);
}

/* ---- what is not well ---- */

static bool is_overdue(int64_t since, int64_t now)
{
    return since >= 0 && now >= since + GUESTS_PATIENCE;
}

bool guest_is_overdue(const struct guest_row *row, int64_t now)
{
    return is_overdue(row->lacking_since, now);
}

static void tell_lacking(const struct guest_row *row, struct problem_list *out)
{
    _cleanup_free_ char *about = xasprintf("guest %s", row->consumer);
    problems_add_take(out, about,
                      xasprintf("the guest of consumer %s runs for more than a "
                                "minute without what is allocated to it (%s)%s%s",
                                row->consumer, guest_row_state(row),
                                row->reason ? ": " : "",
                                row->reason ? row->reason : ""));
}

static void tell_surplus(const struct guest_row *row, struct problem_list *out)
{
    _cleanup_free_ char *about = xasprintf("guest %s's surplus", row->consumer);
    _cleanup_free_ char *devices = strlist_join(&row->surplus, ", ");
    problems_add_take(
        out, about,
        xasprintf("the guest of consumer %s runs for more than a minute "
                  "with %s, which is not allocated to it; nobody else gets "
                  "that before the guest stops",
                  row->consumer, devices));
}

static void tell_stranger(const struct guest_row *row, struct problem_list *out)
{
    _cleanup_free_ char *about = xasprintf("guest %s's surplus", row->consumer);
    _cleanup_free_ char *devices = strlist_join(&row->surplus, ", ");
    problems_add_take(out, about,
                      xasprintf("the guest %s runs for more than a minute with %s, and "
                                "nothing is allocated to it; nobody else gets that "
                                "before the guest stops",
                                row->consumer, devices));
}

/* The earlier of `next` and when the patience with what began at `since` ends. */
static int64_t earlier(int64_t next, int64_t since)
{
    int64_t due = since + GUESTS_PATIENCE;
    return next < 0 || due < next ? due : next;
}

int64_t guests_problems(const struct guests *guests, int64_t now,
                        struct problem_list *out)
{
    int64_t next = -1;
    for (size_t i = 0; i < guests->count; i++) {
        const struct guest_row *row = &guests->rows[i];
        if (guest_is_overdue(row, now))
            tell_lacking(row, out);
        else if (row->lacking_since >= 0)
            next = earlier(next, row->lacking_since);
        if (is_overdue(row->surplus_since, now))
            tell_surplus(row, out);
        else if (row->surplus_since >= 0)
            next = earlier(next, row->surplus_since);
    }
    for (size_t i = 0; i < guests->stranger_count; i++) {
        const struct guest_row *row = &guests->strangers[i];
        if (is_overdue(row->surplus_since, now))
            tell_stranger(row, out);
        else
            next = earlier(next, row->surplus_since);
    }
    return next;
}
