/*
 * cycle_orders: what came of operators' orders for single devices (agent/state/orders.h)
 * in one round of a cycle: answers each order that is done or refused, and withdraws it.
 * An order that waits stands, and so does one that a signal interrupted.
 */
#ifndef AGENT_CYCLE_ORDERS_H
#define AGENT_CYCLE_ORDERS_H

#include "agent/cycle.h"

/* For the last round, after it was executed. `final`: nobody will try again, so that
 * orders that wait are answered as well. */
void cycle_settle_orders(struct agent *agent, struct cycle *cycle, bool final);

#endif
