/*
 * departures: servers whose domain is gone from this host, so that their allocations
 * will be gone soon. Nova deletes these some seconds after the domain, and that raises no
 * generation (agent/tree/fetch.h): else it would be some cycles until it is seen, in
 * which the device stays. So their providers are read in each cycle until nothing is
 * allocated to them any more, but not for longer than DEPARTURE_MOST: a domain is also
 * undefined by a rebuild, and by a move to another host. One thread, the daemon's.
 */
#ifndef AGENT_DAEMON_DEPARTURES_H
#define AGENT_DAEMON_DEPARTURES_H

#include "agent/cycle.h"

#define DEPARTURE_MOST 120 /* seconds */

struct departure {
    char consumer[UUID_TEXT_SIZE];
    int64_t until; /* seconds of a clock that only goes forward */
};

/* All zero: none is waited for. */
struct departures {
    struct departure *items;
    size_t count;
};

void departures_add(struct departures *departures, const char *consumer, int64_t now);
/* The cycle that begins sees what these have; `view`: those of which there is a domain
 * again are waited for no longer, and neither are those whose time is over. */
void departures_begin_cycle(struct departures *departures, const struct domains *view,
                            struct agent *agent, int64_t now);
/* After a cycle that has read Placement. */
void departures_end_cycle(struct departures *departures,
                          const struct observed *observed);
void departures_clear(struct departures *departures);

#endif
