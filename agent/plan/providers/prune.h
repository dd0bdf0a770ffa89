/*
 * prune: deletes a provider that is no longer wanted: when an operator has asked for it,
 * or when it was one of a card's former types; and only while nobody has anything of it.
 */
#ifndef AGENT_PLAN_PROVIDERS_PRUNE_H
#define AGENT_PLAN_PROVIDERS_PRUNE_H

#include "agent/plan/world/world.h"

/* Deletes the provider when that was asked for and is possible, and returns true; else
 * lists it as retired. */
bool prune_provider(struct world *world, const struct managed *managed);

#endif
