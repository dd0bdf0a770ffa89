/*
 * by_hand: devices that operators order one by one (agent/state/orders.h), and those that
 * were made so. A device that was made by hand is no consumer's: it is never handed to
 * one, is taken off the capacity that Placement sees, is put back after a reboot, and
 * stays until it is removed by hand. An order waits for allocations that are still to be
 * met on its GPU, and the inventory shrinks before the device is made.
 */
#ifndef AGENT_PLAN_DEVICES_BY_HAND_H
#define AGENT_PLAN_DEVICES_BY_HAND_H

#include "agent/plan/world/world.h"

/* Decides which devices made by hand are to be made, now or again; called when the
 * allocations have their devices, and before the inventories are decided. */
void by_hand_decide(struct world *world);
/* Adds the steps, and what came of each order; called when all other steps on devices
 * are decided. */
void by_hand_plan(struct world *world);

/* ---- between these two ---- */

/* The units of the provider's inventory that devices made by hand are about to take, or
 * will take again. Those that exist are not counted. */
int64_t by_hand_units(const struct world *world, const struct managed *managed);
/* True when a device of another type is about to be made on the card by hand, so that it
 * may offer none of the configured type any more. */
bool by_hand_makes_other_type(const struct world *world, const struct managed *managed);

#endif
