/*
 * traits: decides which traits a provider is to have, and which of them are the agent's
 * own. An operator's traits stay, also where one has a name that the agent would set as
 * well: such a trait is not the agent's, and is not removed later. Pure; the caller
 * clears the lists.
 */
#ifndef AGENT_PLAN_PROVIDERS_TRAITS_H
#define AGENT_PLAN_PROVIDERS_TRAITS_H

#include "agent/plan/world/world.h"

struct traits_decision {
    struct strlist all;   /* the whole set, sorted */
    struct strlist own;   /* those of `all` that are the agent's, sorted */
    struct strlist found; /* the agent's traits that the provider has now, sorted */
    bool changed;         /* `all` differs from what the provider has */
};

struct traits_decision traits_decide(const struct world *world,
                                     const struct managed *managed);
void traits_decision_clear(struct traits_decision *decision);

#endif
