/*
 * provider: adds the steps that bring one provider in Placement into its desired state,
 * and those that note in the journal what is the agent's on it.
 */
#ifndef AGENT_PLAN_PROVIDER_H
#define AGENT_PLAN_PROVIDER_H

#include "agent/plan/world.h"

/* Owner mode: creates the provider, writes its inventory and traits, holds it back,
 * prunes it. To be called after match_devices(). */
void plan_provider(struct world *world, const struct managed *managed);
/* Reports children that have a GPU's name and are not the agent's: they report the GPU
 * a second time. */
void report_strangers(struct world *world);
/* Deletes the provider when that was asked for and is possible, and returns true; else
 * lists it as retired. */
bool prune_provider(struct world *world, const struct managed *managed);
/* Writes only the provider's traits, and the journal's note of them. */
void write_traits(struct world *world, const struct managed *managed);
/* Returns true, after reporting the problem, when nothing can be done to the
 * provider. */
bool report_unusable(struct world *world, const struct managed *managed);
/* True when the provider's uuid is the one that the agent computes: only then did the
 * agent create it. */
bool managed_is_of_our_making(const struct world *world, const struct managed *managed);
/* Forgets the journal's entries for providers that neither exist nor are wanted. */
void forget_providers(struct world *world);

#endif
