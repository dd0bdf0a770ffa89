/*
 * write: candidates as the JSON of a reply: the allocations of each, in the
 * form of its microversion, and summaries of the providers that they are about.
 * Stateless.
 */
#ifndef PLACEMENT_SERVER_CANDIDATES_WRITE_H
#define PLACEMENT_SERVER_CANDIDATES_WRITE_H

#include "lib/json_write.h"
#include "placement/server/candidates/provider_set.h"
#include "placement/server/candidates/slots.h"

/* Candidates as rows of providers, one provider for each slot of their plan. The owner
 * clears them with candidate_rows_clear(). */
struct candidate_rows {
    const struct resource_provider **providers;
    size_t width, count, room; /* width: number of slots of the plan */
};

static inline const struct resource_provider **
candidate_row(const struct candidate_rows *rows, size_t i)
{
    return rows->providers + i * rows->width;
}

/* Adds a row, whose `width` pointers are copied. */
void candidate_rows_add(struct candidate_rows *rows,
                        const struct resource_provider *const *providers);
void candidate_rows_clear(struct candidate_rows *rows);

/* {"allocation_requests": [...], "provider_summaries": {...}}. Summaries are of all
 * providers of each tree that a candidate takes something from; `only`, unless NULL, of
 * those that are in it too. */
void candidates_write(struct json_writer *w, const struct candidates_plan *plan,
                      const struct candidate_rows *rows,
                      const struct provider_set *only, int microversion);

#endif
