/*
 * plan_provider: the steps that make one provider in Placement as it should be, and
 * note in the journal what is ours on it.
 */
#ifndef AGENT_PLAN_PROVIDER_H
#define AGENT_PLAN_PROVIDER_H

#include "agent/plan_world.h"

/* Owner mode: creates, writes, holds back, prunes. After match_devices(). */
void plan_provider(struct world *world, const struct subject *subject);
/* Nova mode: traits onto Nova's child, and a word where it differs from the host. */
void plan_nova_provider(struct world *world, const struct subject *subject);
/* Children with a GPU's name that are not ours: they report the GPU a second time. */
void complain_of_strangers(struct world *world);
/* Entries of the journal for providers that are neither there nor wanted. */
void forget_providers(struct world *world);

#endif
