/*
 * pages: what the daemon serves over HTTP, made from what it knows already:
 *
 *   /metrics  for Prometheus
 *   /healthz  200 while cycles come to their ends; 503 when one is overdue
 *   /readyz   200 when the last cycle could see the host and Placement; 503 and why not
 *
 * Pure but for allocation.
 */
#ifndef AGENT_DAEMON_PAGES_H
#define AGENT_DAEMON_PAGES_H

#include "agent/daemon/metrics.h"
#include "agent/daemon/status_server.h"

struct daemon_state {
    const struct metrics *metrics;
    struct metrics_extra extra;
    int64_t begin;               /* of the daemon, in milliseconds as extra.monotonic */
    int64_t last_end;            /* of a cycle, the same; 0: the first is not over */
    unsigned sync_interval;      /* seconds */
    const struct error *trouble; /* why the last cycle could not look; code NONE: it
                                    could */
};

void pages_make(const struct daemon_state *state, const char *path,
                struct http_page *page);

#endif
