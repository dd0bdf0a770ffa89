/*
 * pages: what is served at the address of the metrics, apart from the API: /metrics for
 * Prometheus, a page for people at /, and /status.json, which that page shows.
 * Stateless.
 */
#ifndef PLACEMENT_SERVER_PAGES_H
#define PLACEMENT_SERVER_PAGES_H

#include "placement/server/metrics.h"

void pages_answer(const struct metrics *metrics, const struct store *store,
                  const struct request *request, struct reply *reply);

#endif
