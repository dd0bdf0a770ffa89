/*
 * provider_reason: texts that explain to people why a plan has a step on a provider: the
 * current state, the desired state, and the cause. All functions return one line of text
 * that the caller frees. Pure.
 */
#ifndef AGENT_PLAN_PROVIDERS_PROVIDER_REASON_H
#define AGENT_PLAN_PROVIDERS_PROVIDER_REASON_H

#include "agent/plan/providers/inventory.h"
#include "agent/plan/providers/traits.h"

/* Why the inventory changes: "VGPU total 16 -> 15: the host has room for 15". */
char *reason_of_inventory(const struct world *world, const struct managed *managed,
                          const struct inventory_decision *decision);
/* Why the traits change: "missing: CUSTOM_A + 21 standard; no longer wanted:
 * CUSTOM_B". */
char *reason_of_traits(const struct managed *managed,
                       const struct traits_decision *decision);

#endif
