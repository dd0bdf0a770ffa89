/*
 * watcher: which guest is to be settled when. It keeps what is known of each domain,
 * makes a job of each event, runs one job of a domain at a time, waits with a guest that
 * was restored until Nova has had its time, and repeats what failed, with growing pauses.
 * No I/O and no clock: events, results and times go in, jobs and questions come out.
 * One thread.
 *
 * What an event means for what waits is told in watched.h. A guest that runs, has a
 * device in its configuration only, and whose start was not seen (found at connection)
 * may have lost the race of its cold plug, or may be about to be suspended by Nova; so it
 * is given the device live when WATCH_GRACE has passed and it still runs without. In the
 * same way whatever a look shows to be missing, with no event to come, is given after
 * WATCH_GRACE.
 *
 * Times are milliseconds of the monotonic clock.
 */
#ifndef AGENT_ATTACH_WATCHER_H
#define AGENT_ATTACH_WATCHER_H

#include <stdint.h>

#include "agent/attach/settle.h"

struct watcher;

struct watcher *watcher_new(void);
void watcher_free(struct watcher *watcher);
DEFINE_CLEANUP(struct watcher *, watcher_free)

/* ---- in */

/* All domains of a new connection: each is looked at, and what is not in the list is
 * gone. Events that come before the list does are not lost: they may be given as soon
 * as they come. */
void watcher_connected(struct watcher *watcher, const struct strlist *domains,
                       int64_t now);
/* Nothing is known any more until watcher_connected(). Jobs under way go on, and what
 * they wanted stays busy until their watcher_done(), whose result then counts for
 * nothing else. */
void watcher_disconnected(struct watcher *watcher);
void watcher_event(struct watcher *watcher, const char *domain, enum occasion occasion,
                   int64_t now);
/* Takes the table's members. The guests whose devices differ are settled. */
void watcher_take_table(struct watcher *watcher, struct wanted_table *table,
                        int64_t now);
/* The answer to NEWS_DOUBT or NEWS_EARLY_DOUBT of that number. `lasts`: for how many
 * milliseconds from the question it counts (doubt.h); 0: not for a later definition. */
void watcher_sure(struct watcher *watcher, const char *domain, uint64_t number,
                  int64_t lasts, int64_t now);
/* The job of that domain has ended. Takes the result's members. */
void watcher_done(struct watcher *watcher, const char *domain,
                  struct settle_result *result, int64_t now);

/* ---- out */

/* A job to start now; false: there is none. The caller clears it. To be called until it
 * gives false, after each input and each time, while a worker is free. */
bool watcher_next_job(struct watcher *watcher, int64_t now, struct settle_job *job);
/* When watcher_next_job() is to be called again at the latest; -1: after the next input.
 * Without a free worker the end of a job is to be waited for instead. */
int64_t watcher_wake_at(const struct watcher *watcher);
/* The same for watcher_next_news(), which needs no worker. */
int64_t watcher_news_at(const struct watcher *watcher);

/* What the daemon is to be told, each fact once: what has changed since the last
 * call. */
enum watcher_news_kind {
    NEWS_ASK,   /* a domain was defined or started for which the table has nothing */
    NEWS_DOUBT, /* one was, after it had been stopped or undefined: is what the table has
                   for it (or that it has nothing) still so? `number` */
    NEWS_EARLY_DOUBT, /* the same of one that is stopped or undefined: `life` too */
    NEWS_GUEST,       /* a domain is known or has changed: `guest`, `life` */
    NEWS_GONE,        /* a domain is gone */
    NEWS_STATE, /* a consumer's guest stands otherwise: `state`, `reason`, `since` */
    NEWS_ALL,   /* every domain of the connection has been looked at */
};
struct watcher_news {
    enum watcher_news_kind kind;
    char domain[UUID_TEXT_SIZE];
    const struct guest *guest;
    enum guest_state state;
    const char *reason; /* NULL: none */
    int64_t since;
    int64_t
        took; /* from the domain's definition until its devices were configured, where
                     the state tells of that; -1 */
    uint64_t number;
    uint64_t life; /* doubt.h */
};
/* False: there is none. What it borrows stays until the next call into the watcher. */
bool watcher_next_news(struct watcher *watcher, int64_t now, struct watcher_news *news);

/* The serial of the table that is in use, and the addresses that libvirt may still
 * attach to a guest that is not to have them by this table: those of jobs under way,
 * and of calls whose reply never came (lingering.h). Adds to *busy, sorted. *serial 0:
 * no table came yet. It may change with each input, and at watcher_wake_at(). */
void watcher_holding(const struct watcher *watcher, uint64_t *serial,
                     struct strlist *busy);

#endif
