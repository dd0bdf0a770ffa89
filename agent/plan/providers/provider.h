/*
 * provider: adds the steps that bring one provider in Placement into its desired state,
 * and those that note in the journal what is the agent's on it.
 */
#ifndef AGENT_PLAN_PROVIDERS_PROVIDER_H
#define AGENT_PLAN_PROVIDERS_PROVIDER_H

#include "agent/plan/world/world.h"

/* Owner mode: creates the provider, writes its inventory and traits, holds it back,
 * prunes it. To be called after match_devices(). */
void plan_provider(struct world *world, const struct managed *managed);
/* Reports children that have a GPU's name and are not the agent's: they report the GPU
 * a second time. */
void report_strangers(struct world *world);
/* Writes only the provider's traits, and the journal's note of them. */
void write_traits(struct world *world, const struct managed *managed);
/* Returns true, after reporting the problem, when nothing can be done to the
 * provider. */
bool report_unusable(struct world *world, const struct managed *managed);
/* Forgets the journal's entries for providers that neither exist nor are wanted. */
void forget_providers(struct world *world);

#endif
