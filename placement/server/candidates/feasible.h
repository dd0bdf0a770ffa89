/*
 * feasible: a look ahead that spares hopeless searches, which would try
 * every combination before they gave up: different providers for isolated groups (a
 * matching), and enough of each class for all slots together. What it lets through may
 * still fail; what it refuses cannot succeed. Stateless.
 */
#ifndef PLACEMENT_SERVER_CANDIDATES_FEASIBLE_H
#define PLACEMENT_SERVER_CANDIDATES_FEASIBLE_H

#include "placement/server/candidates/search.h"
#include "placement/server/candidates/slots.h"

/* `choices` has one entry for each slot, and none of them is empty. */
bool candidates_feasible(const struct candidates_plan *plan,
                         const struct choices *choices);

#endif
