/*
 * metrics: what placementd counts about itself, as text for Prometheus (pages.h
 * serves it). Plain data; one thread.
 */
#ifndef PLACEMENT_SERVER_METRICS_H
#define PLACEMENT_SERVER_METRICS_H

#include <stdint.h>

#include "placement/server/message/reply.h"
#include "placement/server/message/request.h"
#include "placement/server/store/store.h"

#define METRICS_METHODS 5
#define METRICS_STATUSES 600

/* Counters since the start of the process. All zero at first. */
struct metrics {
    uint64_t requests[METRICS_METHODS][METRICS_STATUSES];
    uint64_t commits, failed_commits;
    double commit_seconds;
};

void metrics_count(struct metrics *metrics, const struct request *request,
                   const struct reply *reply);

void metrics_answer(const struct metrics *metrics, const struct store *store,
                    struct reply *reply);

#endif
