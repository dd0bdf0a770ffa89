/*
 * pages: what the daemon serves over HTTP, made from what it knows already:
 *
 *   /             a page for people, which shows /status.json (agent/daemon/page/)
 *   /status.json  how the host stands (agent/report/status_json.h)
 *   /metrics      for Prometheus
 *   /healthz      200 while cycles end in time; 503 when one is overdue
 *   /readyz       200 when the last cycle could read the host and Placement; 503, with
 *                 the reason, otherwise
 *
 * Pure but for allocation.
 */
#ifndef AGENT_DAEMON_PAGES_H
#define AGENT_DAEMON_PAGES_H

#include "agent/daemon/metrics.h"
#include "agent/daemon/status_server.h"
#include "agent/report/status_json.h"

struct daemon_state {
    const struct metrics *metrics;
    struct metrics_extra extra;
    /* when the daemon started, in milliseconds as extra.monotonic */
    int64_t begin;
    /* when the last cycle ended, likewise; 0: the first has not */
    int64_t last_end;
    unsigned sync_interval; /* seconds */
    /* Why the last cycle could not look; code NONE: it could. */
    const struct error *failure;
    int64_t time; /* now, in seconds since the epoch */
    const struct overview *overview;
    const struct guests_report *guests; /* NULL: they were not looked at */
    const struct problem_list *problems;
};

void pages_make(const struct daemon_state *state, const char *path,
                struct http_page *page);

#endif
