#include "agent/attach/watcher.h"

#include <stdlib.h>
#include <string.h>

#include "agent/attach/watcher_data.h"
#include "lib/xalloc.h"

struct watcher *watcher_new(void)
{
    return xcalloc(1, sizeof(struct watcher));
}

void watcher_free(struct watcher *watcher)
{
    if (!watcher)
        return;
    for (size_t i = 0; i < watcher->count; i++)
        watched_free(watcher->all[i]);
    free(watcher->all);
    map_clear(&watcher->map);
    wanted_table_clear(&watcher->table);
    lingering_clear(&watcher->lingering);
    free(watcher);
}

static struct watched *find(const struct watcher *watcher, const char *uuid)
{
    return map_owner(map_find(&watcher->map, uuid), struct watched, entry);
}

static struct watched *find_or_add(struct watcher *watcher, const char *uuid)
{
    struct watched *watched = find(watcher, uuid);
    if (watched)
        return watched;
    watched = xcalloc(1, sizeof *watched);
    uuid_text_copy(watched->uuid, uuid);
    watched->since = watched->defined_at = watched->took = -1;
    watched->doubt = DOUBT_NONE;
    map_add(&watcher->map, &watched->entry, watched->uuid);
    *array_add(watcher->all, watcher->count) = watched;
    return watched;
}

/* Drops what is neither a domain nor a consumer, and has nothing to tell. */
static void sweep(struct watcher *watcher)
{
    size_t kept = 0;
    for (size_t i = 0; i < watcher->count; i++) {
        struct watched *watched = watcher->all[i];
        if (watched->present || watched->at_work || watched->tell_gone ||
            wanted_find(&watcher->table, watched->uuid)) {
            watcher->all[kept++] = watched;
            continue;
        }
        map_remove(&watcher->map, &watched->entry);
        watched_free(watched);
    }
    watcher->count = kept;
}

static void make_due(struct watcher *watcher, struct watched *watched,
                     enum occasion occasion, bool urgent)
{
    watched_make_due(watched, occasion, urgent, ++watcher->order);
}

/* ---- the connection ---- */

/* Once every domain that was listed has been looked at, that is told, and the time of
 * what lingers begins. */
static void finish_looking(struct watcher *watcher, int64_t now)
{
    if (!watcher->connected || watcher->all_looked)
        return;
    for (size_t i = 0; i < watcher->count; i++)
        if (watcher->all[i]->unlooked)
            return;
    watcher->all_looked = watcher->tell_all = true;
    lingering_begin(&watcher->lingering, now);
}

static void forget_domain(struct watched *watched)
{
    watched_forget(watched);
    watched->present = false;
    watched->tell_gone = true;
}

static void not_listed(struct watcher *watcher, struct watched *watched)
{
    if (!watched->evented) {
        forget_domain(watched);
        return;
    }
    /* The event may be younger than the list. */
    watched->unlooked = true;
    make_due(watcher, watched, OCCASION_CHANGED, false);
}

void watcher_connected(struct watcher *watcher, const struct strlist *domains,
                       int64_t now)
{
    _cleanup_strlist_ struct strlist listed = strlist_copy(domains);
    strlist_sort_unique(&listed);
    watcher->connected = true;
    watcher->connection++;
    for (size_t i = 0; i < listed.count; i++) {
        struct watched *watched = find_or_add(watcher, listed.items[i]);
        watched->ask |= !watched->present;
        /* What happened to it while nothing was seen is not known. */
        doubt_connect(&watched->doubt, ++watcher->order);
        if (wanted_find(&watcher->table, watched->uuid))
            watched_doubt(watched);
        watched->present = watched->unlooked = true;
        make_due(watcher, watched, OCCASION_LOOK, false);
    }
    for (size_t i = 0; i < watcher->count; i++) {
        struct watched *watched = watcher->all[i];
        if (!strlist_sorted_contains(&listed, watched->uuid) && !watched->evented)
            watched_doubt(watched);
        if (watched->present && !strlist_sorted_contains(&listed, watched->uuid))
            not_listed(watcher, watched);
        watcher_news_state(watcher, watched, now);
    }
    watcher->all_looked = false;
    finish_looking(watcher, now);
}

void watcher_disconnected(struct watcher *watcher)
{
    watcher->connected = watcher->all_looked = watcher->tell_all = false;
    lingering_hold(&watcher->lingering);
    for (size_t i = 0; i < watcher->count; i++) {
        struct watched *watched = watcher->all[i];
        bool told_gone = watched->tell_gone;
        watched_forget(watched);
        doubt_disconnect(&watched->doubt);
        watched->tell_gone = told_gone;
    }
}

/* ---- events ---- */

static bool is_asked_for(enum occasion occasion)
{
    return occasion == OCCASION_DEFINED || occasion == OCCASION_STARTED ||
           occasion == OCCASION_RESTORED;
}

void watcher_event(struct watcher *watcher, const char *domain, enum occasion occasion,
                   int64_t now)
{
    struct watched *watched = find_or_add(watcher, domain);
    watched_event(watched, occasion, ++watcher->order, now);
    watched->ask |= is_asked_for(occasion);
    if (occasion == OCCASION_STOPPED)
        watched->ask = false;
    watcher_news_state(watcher, watched, now);
}

/* ---- the table ---- */

static void entry_changed(struct watcher *watcher, struct watched *watched,
                          const struct wanted *wanted)
{
    watched->failed = false;
    watched->failures = 0;
    if (watched->present)
        make_due(watcher, watched, wanted ? OCCASION_LOOK : OCCASION_CHANGED, wanted);
}

void watcher_take_table(struct watcher *watcher, struct wanted_table *table,
                        int64_t now)
{
    struct wanted_table old = watcher->table;
    watcher->table = *table;
    *table = (struct wanted_table){0};
    for (size_t i = 0; i < watcher->table.count; i++) {
        struct watched *watched =
            find_or_add(watcher, watcher->table.consumers[i].consumer);
        /* The first one may have been made before an earlier program ended. */
        if (old.serial == 0)
            watched_doubt(watched);
    }
    for (size_t i = 0; i < watcher->count; i++) {
        struct watched *watched = watcher->all[i];
        const struct wanted *wanted = wanted_find(&watcher->table, watched->uuid);
        if (!wanted_equal(wanted_find(&old, watched->uuid), wanted))
            entry_changed(watcher, watched, wanted);
        watcher_news_state(watcher, watched, now);
    }
    wanted_table_clear(&old);
    sweep(watcher);
}

void watcher_sure(struct watcher *watcher, const char *domain, uint64_t number,
                  int64_t lasts, int64_t now)
{
    struct watched *watched = find(watcher, domain);
    if (!watched || !doubt_answered(&watched->doubt, number, lasts, now))
        return;
    watched_release(watched, ++watcher->order);
    watcher_news_state(watcher, watched, now);
}

/* ---- what a job has brought ---- */

static void take_reason(struct watched *watched, const struct error *reason)
{
    free(watched->reason);
    watched->reason = xstrdup(reason->text);
}

/* Where an event has come since the job began, the domain may be there again: what
 * follows from the event stays. */
static void take_gone(struct watched *watched)
{
    if (!watched->due) {
        forget_domain(watched);
        return;
    }
    guest_clear(&watched->guest);
    watched->seen = watched->failed = watched->tell_guest = false;
    watched->tell_gone = true;
}

/* What is still missing, and has no event to come: what the occasion did not allow for,
 * or the start was not seen. Nova gets the time to do it itself. */
static void follow_up(const struct watcher *watcher, struct watched *watched,
                      const struct wanted *wanted, int64_t now)
{
    enum occasion occasion = watched->detached ? OCCASION_LOOK : OCCASION_RESTORED;
    struct attach_action *actions;
    size_t count;
    attach_decide(&watched->guest, wanted, &watcher->table.ours, occasion,
                  watched->no_port, &actions, &count);
    attach_actions_free(actions, count);
    if (count > 0)
        watched_wait(watched, occasion, now + WATCH_GRACE);
}

static void take_success(const struct watcher *watcher, struct watched *watched,
                         const struct wanted *wanted, int64_t now)
{
    /* What was refused to another job is still to be tried again. */
    if (watched->failed && watched->job_occasion == OCCASION_CHANGED &&
        watched->waiting)
        return;
    watched->failed = false;
    watched->failures = 0;
    if (wanted && !watched->due)
        follow_up(watcher, watched, wanted, now);
}

static void take_result(struct watcher *watcher, struct watched *watched,
                        struct settle_result *result, int64_t now)
{
    const struct wanted *wanted = wanted_find(&watcher->table, watched->uuid);
    bool same_run = watched->job_run == watched->run;
    if (result->gone) {
        take_gone(watched);
        return;
    }
    if (*result->guest.uuid)
        watched_see(watched, &result->guest, wanted);
    if (same_run)
        watched->no_port |= result->no_port;
    if (result->reason.code == ERROR_NONE) {
        take_success(watcher, watched, wanted, now);
        return;
    }
    /* Of one call's connection nothing follows for the guest; and a guest whose start
     * takes long has not been refused anything. */
    bool waits = result->busy && watched->failures < WATCH_BUSY_MOST;
    if (!result->unreachable && !waits) {
        watched->failed = true;
        take_reason(watched, &result->reason);
    }
    watched_retry(watched, watched->job_occasion, now);
}

void watcher_done(struct watcher *watcher, const char *domain,
                  struct settle_result *result, int64_t now)
{
    struct watched *watched = find(watcher, domain);
    for (size_t i = 0; watched && i < result->uncertain.count; i++)
        lingering_add(&watcher->lingering, domain, result->uncertain.items[i]);
    if (watcher->all_looked)
        lingering_begin(&watcher->lingering, now);
    if (watched) {
        watched->at_work = false;
        wanted_clear(&watched->job_wanted);
        if (watcher->connected && watched->job_connection == watcher->connection)
            take_result(watcher, watched, result, now);
        watcher_news_state(watcher, watched, now);
    }
    settle_result_clear(result);
    finish_looking(watcher, now);
    sweep(watcher);
}

/* ---- jobs ---- */

static struct watched *choose(const struct watcher *watcher, int64_t now)
{
    struct watched *best = NULL;
    for (size_t i = 0; i < watcher->count; i++) {
        struct watched *watched = watcher->all[i];
        if (!watched->present || !watched_is_ready(watched, now))
            continue;
        if (!best || watched->urgent > best->urgent ||
            (watched->urgent == best->urgent && watched->order < best->order))
            best = watched;
    }
    return best;
}

bool watcher_next_job(struct watcher *watcher, int64_t now, struct settle_job *job)
{
    lingering_expire(&watcher->lingering, now);
    struct watched *watched = watcher->connected ? choose(watcher, now) : NULL;
    if (!watched)
        return false;
    *job = (struct settle_job){.occasion = watched_take_occasion(watched, now),
                               .no_port = watched->no_port,
                               .ours = strlist_copy(&watcher->table.ours)};
    uuid_text_copy(job->domain, watched->uuid);
    /* What was held may have come due without an event. */
    watched->ask |= watched->held && watched->doubt.number == 0;
    if (occasion_acts(job->occasion))
        job->wanted = wanted_copy(wanted_find(&watcher->table, watched->uuid));
    watched->at_work = true;
    watched->job_occasion = job->occasion;
    watched->job_run = watched->run;
    watched->job_life = watched->doubt.life;
    watched->job_connection = watcher->connection;
    watched->job_wanted = wanted_copy(&job->wanted);
    return true;
}

static int64_t sooner(int64_t a, int64_t b)
{
    return a < 0 || (b >= 0 && b < a) ? b : a;
}

int64_t watcher_wake_at(const struct watcher *watcher)
{
    int64_t next = lingering_next(&watcher->lingering);
    for (size_t i = 0; watcher->connected && i < watcher->count; i++) {
        const struct watched *watched = watcher->all[i];
        if (watched->present && !watched->at_work && watched->waiting)
            next = sooner(next, watched->later_at);
    }
    return next;
}

int64_t watcher_news_at(const struct watcher *watcher)
{
    int64_t next = -1;
    for (size_t i = 0; watcher->connected && i < watcher->count; i++)
        next = sooner(next, watcher_asks_early_at(watcher, watcher->all[i]));
    return next;
}

/* ---- what may still be attached ---- */

static void add_busy(const struct watcher *watcher, const char *consumer,
                     const char *address, struct strlist *busy)
{
    if (!wanted_names(wanted_find(&watcher->table, consumer), address))
        strlist_add(busy, address);
}

void watcher_holding(const struct watcher *watcher, uint64_t *serial,
                     struct strlist *busy)
{
    *serial = watcher->table.serial;
    for (size_t i = 0; i < watcher->count; i++) {
        const struct wanted *wanted = &watcher->all[i]->job_wanted;
        for (size_t j = 0; j < wanted->count; j++)
            add_busy(watcher, wanted->consumer, wanted->devices[j].address, busy);
    }
    for (size_t i = 0; i < watcher->lingering.count; i++)
        add_busy(watcher, watcher->lingering.devices[i].consumer,
                 watcher->lingering.devices[i].address, busy);
    strlist_sort_unique(busy);
}
