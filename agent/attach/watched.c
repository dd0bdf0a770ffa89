#include "agent/attach/watched.h"

#include <stdlib.h>
#include <string.h>

#include "lib/xalloc.h"

void watched_free(struct watched *watched)
{
    guest_clear(&watched->guest);
    wanted_clear(&watched->job_wanted);
    free(watched->reason);
    free(watched->state_reason);
    free(watched);
}

/* ---- occasions ---- */

/* What a job of an occasion may do, a job of a higher one may do, too. */
static int strength(enum occasion occasion)
{
    switch (occasion) {
    case OCCASION_CHANGED:
    case OCCASION_STOPPED:
        return 0;
    case OCCASION_DEFINED:
        return 1;
    case OCCASION_LOOK:
        return 2;
    case OCCASION_RESTORED:
        return 3;
    case OCCASION_STARTED:
        return 4;
    }
    return 0;
}

static enum occasion stronger(enum occasion a, enum occasion b)
{
    return strength(a) >= strength(b) ? a : b;
}

void watched_make_due(struct watched *watched, enum occasion occasion, bool urgent,
                      uint64_t order)
{
    watched->occasion = watched->due ? stronger(watched->occasion, occasion) : occasion;
    if (!watched->due || (urgent && !watched->urgent))
        watched->order = order;
    watched->urgent |= urgent;
    watched->due = true;
}

/* RESTORED is worth its time: Nova may be at work until then. */
static int64_t merged_time(const struct watched *watched, enum occasion occasion,
                           int64_t at)
{
    bool until_later = watched->later != occasion &&
                       stronger(watched->later, occasion) == OCCASION_RESTORED;
    return (at > watched->later_at) == until_later ? at : watched->later_at;
}

void watched_wait(struct watched *watched, enum occasion occasion, int64_t at)
{
    if (at < watched->grace_until)
        at = watched->grace_until;
    watched->later_at = watched->waiting ? merged_time(watched, occasion, at) : at;
    watched->later = watched->waiting ? stronger(watched->later, occasion) : occasion;
    watched->waiting = true;
}

void watched_retry(struct watched *watched, enum occasion occasion, int64_t now)
{
    int64_t pause = WATCH_PAUSE_LEAST;
    for (unsigned i = 0; i < watched->failures && pause < WATCH_PAUSE_MOST; i++)
        pause *= 2;
    watched->failures++;
    watched_wait(watched, occasion,
                 now + (pause < WATCH_PAUSE_MOST ? pause : WATCH_PAUSE_MOST));
}

/* ---- events ---- */

/* What was known of the run before counts no longer. */
static void begin_run(struct watched *watched)
{
    watched->run++;
    watched->no_port = watched->detached = false;
    watched->waiting = false;
    watched->grace_until = 0;
    watched->failures = 0;
}

static void begin_restored_run(struct watched *watched, uint64_t order, int64_t now)
{
    begin_run(watched);
    watched_make_due(watched, OCCASION_CHANGED, false, order);
    watched->grace_until = now + WATCH_GRACE;
    watched_wait(watched, OCCASION_RESTORED, watched->grace_until);
}

void watched_event(struct watched *watched, enum occasion occasion, uint64_t order,
                   int64_t now)
{
    watched->present = watched->evented = true;
    if (occasion == OCCASION_DEFINED && watched->defined_at < 0)
        watched->defined_at = now;
    else if (occasion != OCCASION_DEFINED && occasion != OCCASION_CHANGED)
        watched->defined_at = -1;
    if (occasion_acts(occasion))
        doubt_define(&watched->doubt, occasion != OCCASION_DEFINED, order, now);
    if (occasion == OCCASION_RESTORED) {
        begin_restored_run(watched, order, now);
        return;
    }
    if (occasion == OCCASION_STOPPED) {
        doubt_stop(&watched->doubt, now);
        watched->held = false;
        occasion = OCCASION_CHANGED;
    }
    if (occasion == OCCASION_STARTED)
        begin_run(watched);
    else if (occasion == OCCASION_DEFINED)
        watched->failures = 0;
    watched_make_due(watched, occasion, occasion_acts(occasion), order);
}

void watched_doubt(struct watched *watched)
{
    doubt_begin(&watched->doubt);
    watched->held = false;
}

void watched_release(struct watched *watched, uint64_t order)
{
    if (watched->doubt.doubts)
        return;
    if (watched->held)
        watched_make_due(watched, watched->held_occasion, true, order);
    watched->held = false;
}

void watched_forget(struct watched *watched)
{
    guest_clear(&watched->guest);
    watched->run++;
    watched->due = watched->urgent = watched->waiting = watched->failed = false;
    /* A doubt stays: the domain may come back. */
    watched->held = false;
    watched->defined_at = -1;
    watched->grace_until = 0;
    watched->failures = 0;
    watched->no_port = watched->detached = false;
    watched->evented = watched->unlooked = watched->seen = false;
    watched->ask = watched->tell_guest = watched->tell_gone = watched->tell_state =
        false;
    watched->has_state = false;
}

/* ---- jobs ---- */

bool watched_is_ready(const struct watched *watched, int64_t now)
{
    return !watched->at_work &&
           (watched->due || (watched->waiting && watched->later_at <= now));
}

static enum occasion take_occasion(struct watched *watched, int64_t now)
{
    enum occasion occasion = watched->due ? watched->occasion : watched->later;
    bool in_time = watched->waiting && watched->later_at <= now;
    if (in_time)
        occasion = stronger(occasion, watched->later);
    if (now >= watched->grace_until)
        watched->grace_until = 0;
    bool in_grace = watched->grace_until > 0;
    if (in_time || (!in_grace && strength(watched->later) <= strength(occasion)))
        watched->waiting = false;
    watched->due = watched->urgent = false;
    if (in_grace && occasion_acts(occasion))
        return OCCASION_DEFINED;
    bool start = occasion == OCCASION_STARTED || occasion == OCCASION_RESTORED;
    return start && watched->detached ? OCCASION_LOOK : occasion;
}

enum occasion watched_take_occasion(struct watched *watched, int64_t now)
{
    enum occasion occasion = take_occasion(watched, now);
    if (!watched->doubt.doubts || !occasion_acts(occasion))
        return occasion;
    watched->held_occasion =
        watched->held ? stronger(watched->held_occasion, occasion) : occasion;
    watched->held = true;
    return OCCASION_CHANGED;
}

static bool was_detached(const struct watched *watched, const struct guest *after,
                         const struct wanted *wanted)
{
    const struct guest *before = &watched->guest;
    if (!watched->seen || watched->guest_run != watched->job_run || !before->running ||
        !after->running)
        return false;
    for (size_t i = 0; wanted && i < wanted->count; i++) {
        const char *address = wanted->devices[i].address;
        if (strlist_sorted_contains(&before->live, address) &&
            !strlist_sorted_contains(&after->live, address))
            return true;
    }
    return false;
}

void watched_see(struct watched *watched, struct guest *guest,
                 const struct wanted *wanted)
{
    if (was_detached(watched, guest, wanted) && watched->job_run == watched->run)
        watched->detached = true;
    if (!watched->seen || watched->guest_life != watched->job_life ||
        !guest_equal(&watched->guest, guest))
        watched->tell_guest = true;
    if (guest->running)
        doubt_see_running(&watched->doubt, watched->job_life);
    guest_clear(&watched->guest);
    watched->guest = *guest;
    *guest = (struct guest){0};
    watched->guest_run = watched->job_run;
    watched->guest_life = watched->job_life;
    watched->seen = true;
    watched->unlooked = false;
    watched->tell_gone = false;
}
