#include "agent/attach/doubt.h"

void doubt_begin(struct doubt *doubt)
{
    doubt->doubts = true;
    doubt->verifies = doubt->asked_early = false;
    doubt->number = doubt->early = 0;
    doubt->next_early = doubt->counts_until = doubt->defined_at = -1;
}

/* ---- events ---- */

void doubt_stop(struct doubt *doubt, int64_t now)
{
    doubt_begin(doubt);
    doubt->stopped = true;
    doubt->started = false;
    doubt->stopped_at = doubt->next_early = now;
}

static void begin_life(struct doubt *doubt, uint64_t life)
{
    /* What was found out while it was stopped is of no use but for `counts_until`. */
    doubt->doubts |= doubt->stopped;
    doubt->stopped = doubt->started = false;
    doubt->life = life;
    doubt->number = 0; /* what was asked while it was stopped was about then */
}

void doubt_define(struct doubt *doubt, bool starts, uint64_t life, int64_t now)
{
    if (doubt->stopped || doubt->life == 0)
        begin_life(doubt, life);
    else if (!starts && !doubt->started)
        doubt->doubts = true; /* no stop tells of a resize while it is off */
    doubt->next_early = -1;
    doubt->started |= starts;
    if (!doubt->doubts || starts || (doubt->started && doubt->defined_at >= 0))
        return;
    doubt->defined_at = now;
    doubt->number = 0; /* the same */
    doubt->verifies = doubt->counts_until >= now;
    doubt->doubts = !doubt->verifies;
}

void doubt_connect(struct doubt *doubt, uint64_t life)
{
    doubt->stopped = doubt->started = false;
    doubt->life = life;
}

void doubt_see_running(struct doubt *doubt, uint64_t life)
{
    doubt->started |= !doubt->stopped && life == doubt->life;
}

void doubt_disconnect(struct doubt *doubt)
{
    bool doubts = doubt->doubts || doubt->stopped;
    doubt_begin(doubt);
    doubt->doubts = doubts;
    doubt->life = 0;
}

/* ---- questions ---- */

int64_t doubt_early_at(const struct doubt *doubt, bool present)
{
    if (!doubt->stopped || doubt->early || (present && doubt->asked_early))
        return -1;
    return doubt->next_early;
}

void doubt_ask_early(struct doubt *doubt, uint64_t number, int64_t now)
{
    doubt->early = number;
    doubt->early_at = now;
    doubt->asked_early = true;
}

/* Placement rests at least as long as it has worked. */
static int64_t next_early(const struct doubt *doubt, int64_t now)
{
    int64_t age = now - doubt->stopped_at, took = now - doubt->early_at;
    int64_t pause = age < DOUBT_SHORT ? DOUBT_PAUSE_SHORT : DOUBT_PAUSE;
    if (age >= DOUBT_LONG)
        return -1;
    return took < pause - took ? doubt->early_at + pause : now + took;
}

static void answered_early(struct doubt *doubt, int64_t lasts, int64_t now)
{
    int64_t until = lasts > 0 ? doubt->early_at + lasts : -1;
    if (doubt->stopped) {
        doubt->counts_until = until;
        doubt->next_early = next_early(doubt, now);
    } else if (doubt->doubts && doubt->defined_at >= 0 && until >= doubt->defined_at) {
        doubt->doubts = false;
        doubt->verifies = doubt->number == 0;
    }
    doubt->early = 0;
}

bool doubt_answered(struct doubt *doubt, uint64_t number, int64_t lasts, int64_t now)
{
    if (number == 0)
        return false;
    if (number == doubt->early) {
        answered_early(doubt, lasts, now);
        return true;
    }
    if (number != doubt->number)
        return false;
    doubt->doubts = false;
    return true;
}
