/*
 * provider: the steps that make one provider in Placement as it should be, and
 * note in the journal what is ours on it.
 */
#ifndef AGENT_PLAN_PROVIDER_H
#define AGENT_PLAN_PROVIDER_H

#include "agent/plan/world.h"

/* Owner mode: creates, writes, holds back, prunes. After match_devices(). */
void plan_provider(struct world *world, const struct subject *subject);
/* Children with a GPU's name that are not ours: they report the GPU a second time. */
void complain_of_strangers(struct world *world);
/* True when it is deleted, as was asked for; else it is listed as retired. */
bool prune_provider(struct world *world, const struct subject *subject);
/* The traits alone, and the journal's part of them. */
void write_traits(struct world *world, const struct subject *subject);
/* True, with the problem said, when nothing can be done to it. */
bool report_unusable(struct world *world, const struct subject *subject);
/* Only what has the uuid that the agent computes was made by it. */
bool subject_is_of_our_making(const struct world *world, const struct subject *subject);
/* Entries of the journal for providers that are neither there nor wanted. */
void forget_providers(struct world *world);

#endif
