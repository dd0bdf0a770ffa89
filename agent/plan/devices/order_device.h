/*
 * order_device: orders for devices that exist: to remove one, or to set its parameters.
 * Each function adds the step that carries the order out, and gives how the order
 * stands; *reason is why it is refused or waits, which the caller frees.
 */
#ifndef AGENT_PLAN_DEVICES_ORDER_DEVICE_H
#define AGENT_PLAN_DEVICES_ORDER_DEVICE_H

#include "agent/plan/world/world.h"

/* Whoever made the device: an operator asks. Refused while anybody has it, and without
 * `force` where an allocation is met by it. */
enum order_state order_removal(struct world *world, const struct order *order,
                               char **reason);
/* Refused while a guest has the device. */
enum order_state order_parameters(struct world *world, const struct order *order,
                                  char **reason);

#endif
