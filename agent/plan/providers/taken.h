/*
 * taken: who has the room of a GPU that has none for new consumers: devices that meet
 * no allocation, places that somebody has (agent/plan/world/place.h), or what was
 * allocated while the card had other types. Pure.
 */
#ifndef AGENT_PLAN_PROVIDERS_TAKEN_H
#define AGENT_PLAN_PROVIDERS_TAKEN_H

#include "agent/plan/world/world.h"

/* Why the GPU has no room, and what the operator can do. The caller frees. */
char *taken_reason(const struct world *world, const struct managed *managed);
/* Who has places, and what would help; NULL: nobody. The caller frees. */
char *taken_places(const struct world *world, const struct managed *managed);
/* Whether allocations of a time when the card had other types have the room that is
 * missing, and nothing has any that should not. */
bool taken_is_by_rest(const struct world *world, const struct managed *managed);
/* Whether what was made by hand has the room, and nothing else: an operator wants it so. */
bool taken_is_by_hand(const struct world *world, const struct managed *managed);

#endif
