/*
 * traits: which traits a provider is to have, and which of them are the agent's
 * own. An operator's stay, also where one of them has a name that the agent would set,
 * too: then it is not the agent's, and is not taken away later. Pure; the caller clears
 * the lists.
 */
#ifndef AGENT_PLAN_TRAITS_H
#define AGENT_PLAN_TRAITS_H

#include "agent/plan/world.h"

struct traits_decision {
    struct strlist all;   /* the whole set, sorted */
    struct strlist own;   /* of which these are ours, sorted */
    struct strlist found; /* what of ours the provider has now, sorted */
    bool changed;         /* `all` is not what the provider has */
};

struct traits_decision traits_decide(const struct world *world,
                                     const struct managed *managed);
void traits_decision_clear(struct traits_decision *decision);

#endif
