/*
 * nova_provider: nova mode's part in the providers. nova-compute makes one child
 * for each mdev parent that has something to offer, and writes its inventory. The agent
 * sets its traits there, takes them off where the parent has no type any more, and says
 * where Nova's inventory is not what the host offers. It writes nothing else, and never
 * makes a child.
 */
#ifndef AGENT_PLAN_NOVA_PROVIDER_H
#define AGENT_PLAN_NOVA_PROVIDER_H

#include "agent/plan/world.h"

void plan_nova_provider(struct world *world, const struct managed *managed);
/* After all subjects: Nova's children of parents that no type is configured for. */
void report_unconfigured(struct world *world);

#endif
