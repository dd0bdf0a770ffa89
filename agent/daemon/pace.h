/*
 * pace: when the next cycle begins. The cycles of a host begin at a moment of the
 * interval that its name chooses, so that ten thousand hosts that were started, or cut
 * off from Placement, together do not ask it together (tests/bench/bench_cloud.c). After
 * failures, too: first the interval (a minute, where that is longer) is the period of
 * which the host has a moment of its own, then twice that, and so on up to a minute, or
 * the interval. Pure: times and the random number are arguments.
 */
#ifndef AGENT_DAEMON_PACE_H
#define AGENT_DAEMON_PACE_H

#include <stdint.h>

struct pace {
    unsigned interval; /* seconds between two cycles; 0 counts as 1 */
    uint32_t share;    /* pace_share() of the host */
    unsigned failures; /* cycles in a row that could not reach Placement */
    /* Seconds that the server asked to wait (Retry-After); 0: it did not. Heeded after
     * a failure, up to an hour. */
    unsigned retry_after;
};

/* The host's moment, as a part of 2^32 of the interval: evenly distributed over names,
 * and the same each time. */
uint32_t pace_share(const char *host);

/* Gives milliseconds from `now` to the next cycle, at least 1. `now` is in milliseconds
 * on a clock that nobody sets. It is between a tenth of the period and eleven tenths, so
 * that a cycle that something else has started does not put off the regular one, or
 * what the server has asked for. `chance` is a random number, evenly distributed; it
 * spreads those whom the server has asked for the same. */
uint64_t pace_delay(const struct pace *pace, uint64_t now, uint32_t chance);

/* Gives the milliseconds for which Placement is to be left alone even if a guest waits
 * for a cycle: 0 without failures, else the pause of backoff, or what the server has
 * asked for. Guests do not start on all hosts in one moment. */
uint64_t pace_least(const struct pace *pace, uint32_t chance);

#endif
