/*
 * cut_steps: the steps that bring the virtual functions of a card to what its cut says
 * (agent/plan/devices/cut.h), and those that keep the journal's entries of functions
 * true.
 */
#ifndef AGENT_PLAN_DEVICES_CUT_STEPS_H
#define AGENT_PLAN_DEVICES_CUT_STEPS_H

#include "agent/plan/devices/cut.h"
#include "agent/plan/world/world.h"

/* `provider` is what Nova has in Placement for the card, NULL: nothing, or Placement was
 * not read. */
void cut_steps_add(struct world *world, const struct cut *cut,
                   const struct observed_provider *provider);
/* Reports or forgets entries of functions that the host does not have. They stay as long
 * as their card is configured, since it may come back. */
void cut_steps_add_vanished(struct world *world);

#endif
