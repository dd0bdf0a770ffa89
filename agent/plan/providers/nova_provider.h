/*
 * nova_provider: the providers in nova mode. nova-compute creates one child provider
 * for each mdev parent that has something to offer, and writes its inventory. The agent
 * sets its traits on that child, removes them where the parent has no type any more,
 * and reports where Nova's inventory differs from what the host offers. It writes
 * nothing else, and never creates a child.
 */
#ifndef AGENT_PLAN_PROVIDERS_NOVA_PROVIDER_H
#define AGENT_PLAN_PROVIDERS_NOVA_PROVIDER_H

#include "agent/plan/world/world.h"

void plan_nova_provider(struct world *world, const struct managed *managed);
/* Reports Nova's children whose parents have no configured type. To be called after all
 * managed providers are planned. */
void report_unconfigured(struct world *world);

#endif
