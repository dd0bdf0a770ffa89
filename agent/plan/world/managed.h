/*
 * managed: finds the providers that the agent manages. These are the providers of the
 * desired tree, whether Placement has them or not, and the providers in Placement that
 * were the agent's and that nothing is configured for any more.
 */
#ifndef AGENT_PLAN_WORLD_MANAGED_H
#define AGENT_PLAN_WORLD_MANAGED_H

#include "agent/plan/world/world.h"

/* Fills world->managed: providers of the desired tree in its order, then retired
 * ones. */
void managed_find(struct world *world);
/* The managed provider that Placement has as `provider`. NULL: the agent does not
 * manage it. */
const struct managed *managed_of(const struct world *world,
                                 const struct observed_provider *provider);
/* True when `name` is the provider name that Nova gives to a parent of the GPU. */
bool managed_is_nova_name(const struct world *world, const char *name,
                          const struct gpu *gpu);
/* True when the provider's uuid is the one that the agent computes: only then did the
 * agent create it. */
bool managed_is_of_our_making(const struct world *world, const struct managed *managed);
/* Adds a problem of the provider to the plan, unless the plan has it already. */
void managed_problem(struct world *world, const struct managed *managed,
                     const char *text);
/* True when the provider is not in Placement and can be created. That of a card's type
 * is created below the card's. */
bool managed_is_new(const struct managed *managed);
/* Whether its units are given away once, until they are cleaned; those that were given
 * away: that are allocated, or (`spent`) that still have the device of a consumer that is
 * gone, or wait to be cleaned. */
bool managed_is_for_one_use(const struct managed *managed);
int64_t managed_given_once(const struct world *world, const struct managed *managed);
int64_t managed_spent(const struct world *world, const struct managed *managed);
/* True when the device is that of a consumer that is gone, on a provider whose units are
 * given away once: managed_spent() counts it. */
bool managed_has_spent(const struct managed *managed, const struct present *present);
/* The sum of all consumers' allocations of the class. */
int64_t managed_allocated(const struct managed *managed, const char *resource_class);
/* True when the agent is responsible for the class on this provider, which must be in
 * Placement. */
bool managed_has_class(const struct world *world, const struct managed *managed,
                       const char *resource_class);
/* The first class that the provider has inventory of and that is the agent's, or that is
 * somebody else's; borrowed. NULL: there is none. */
const char *managed_find_class(const struct world *world, const struct managed *managed,
                               bool ours);

#endif
