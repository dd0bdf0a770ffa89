/*
 * watched: what watcher keeps of one domain, and when the next look at it is due. Plain
 * data; the functions keep the rules of what an event means for what is waiting:
 *
 *   - What is due waits for the job under way. Of two occasions the one that may do more
 *     stays; but of two starts the later one counts, since it is another run.
 *   - After a restore nothing is done live for WATCH_GRACE: Nova attaches the devices
 *     itself. Meanwhile every occasion counts as DEFINED.
 *   - A device that was live in this run and is not any more was detached by somebody
 *     (Nova's suspend, an operator). It stays out until the next start.
 *   - Once it was stopped or undefined, and as long as it is shut off, what the table has
 *     for its consumer may be old when it is defined or started again: a resize changes
 *     the allocations just before or meanwhile. Nothing is done with it before the daemon has said that the table is
 *     still true; what was to be done is held until then. How the daemon is asked, and
 *     when an answer from before the definition counts, is told in doubt.h.
 *   - What failed is tried again after 1 s, 2 s, up to 60 s. A guest that is busy with
 *     another call has failed only where that lasts.
 *
 * Times are milliseconds of the monotonic clock.
 */
#ifndef AGENT_ATTACH_WATCHED_H
#define AGENT_ATTACH_WATCHED_H

#include "agent/attach/doubt.h"
#include "agent/attach/settle.h"
#include "lib/map.h"

#define WATCH_GRACE 30000
#define WATCH_PAUSE_LEAST 1000
#define WATCH_PAUSE_MOST 60000
/* So many tries in a row may find the guest busy before that counts as a failure: libvirt
 * waits 30 s in each. */
#define WATCH_BUSY_MOST 2

struct watched {
    struct map_entry entry; /* its key is `uuid` */
    char uuid[UUID_TEXT_SIZE];
    /* The domain is there: it was listed, or an event has told of it since. */
    bool present;
    bool evented; /* an event has told of it since the connection was lost */
    /* It was listed, and has not been looked at yet. */
    bool unlooked;
    bool seen; /* `guest` is what was seen of it over this connection */
    struct guest guest;
    uint64_t run;        /* grows with each start that was seen */
    uint64_t guest_run;  /* the run that `guest` was seen in */
    uint64_t guest_life; /* and the life (doubt.h) */

    /* ---- when it is looked at next */
    bool due, urgent;
    enum occasion occasion;
    uint64_t order; /* of what is due, the lowest goes first */
    bool waiting;   /* for `later_at` */
    enum occasion later;
    int64_t later_at;
    int64_t grace_until; /* 0: no grace */
    unsigned failures;   /* in a row */
    struct doubt doubt;  /* while it doubts, nothing may be done */
    bool held;           /* an occasion waits for its end */
    enum occasion held_occasion;

    /* ---- what follows from the last jobs */
    bool no_port;  /* in this run */
    bool detached; /* in this run */
    bool failed;
    char *reason; /* of `failed` */

    /* ---- the job under way */
    bool at_work;
    enum occasion job_occasion;
    uint64_t job_run, job_life, job_connection;
    struct wanted job_wanted; /* what it may attach */

    /* ---- what the daemon is to be told */
    bool ask, tell_guest, tell_gone, tell_state;
    bool has_state; /* `state` is what the daemon has been told, or is about to be */
    enum guest_state state;
    char *state_reason; /* NULL: none */
    int64_t since;      /* of `state`; -1: it never had one */
    int64_t defined_at; /* since when it waits for its devices to be configured; -1: it
                           does not, or has started meanwhile */
    int64_t took;       /* how long that was, with `state`; -1 */
};

void watched_free(struct watched *watched);

/* An event, with what it means for what is waiting. `order` is that of what is due from
 * now on. */
void watched_event(struct watched *watched, enum occasion occasion, uint64_t order,
                   int64_t now);
/* It is looked at as soon as a worker is free. */
void watched_make_due(struct watched *watched, enum occasion occasion, bool urgent,
                      uint64_t order);
/* It is looked at after a time, unless that happens before. */
void watched_wait(struct watched *watched, enum occasion occasion, int64_t at);
/* After a failure of a job of that occasion. */
void watched_retry(struct watched *watched, enum occasion occasion, int64_t now);
/* What was known over the connection is forgotten, but not the job under way. */
void watched_forget(struct watched *watched);

bool watched_is_ready(const struct watched *watched, int64_t now);
/* The occasion of the job that starts now, which is no longer due then. While it is
 * doubtful what the guest is to have, the job only looks. */
enum occasion watched_take_occasion(struct watched *watched, int64_t now);

/* What the table has for it may be old: an answer to an earlier question counts no
 * longer. */
void watched_doubt(struct watched *watched);
/* After the answer to a question: what was held is due, unless the doubt lasts. */
void watched_release(struct watched *watched, uint64_t order);

/* What a look has shown. Takes the guest. `wanted` may be NULL. */
void watched_see(struct watched *watched, struct guest *guest,
                 const struct wanted *wanted);

#endif
