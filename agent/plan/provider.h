/*
 * provider: the steps that make one provider in Placement as it should be, and
 * note in the journal what is ours on it.
 */
#ifndef AGENT_PLAN_PROVIDER_H
#define AGENT_PLAN_PROVIDER_H

#include "agent/plan/world.h"

/* Owner mode: creates, writes, holds back, prunes. After match_devices(). */
void plan_provider(struct world *world, const struct managed *managed);
/* Children with a GPU's name that are not ours: they report the GPU a second time. */
void report_strangers(struct world *world);
/* True when it is deleted, as was asked for; else it is listed as retired. */
bool prune_provider(struct world *world, const struct managed *managed);
/* The traits alone, and the journal's part of them. */
void write_traits(struct world *world, const struct managed *managed);
/* True, with the problem said, when nothing can be done to it. */
bool report_unusable(struct world *world, const struct managed *managed);
/* Only what has the uuid that the agent computes was made by it. */
bool managed_is_of_our_making(const struct world *world, const struct managed *managed);
/* Entries of the journal for providers that are neither there nor wanted. */
void forget_providers(struct world *world);

#endif
