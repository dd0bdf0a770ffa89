/*
 * planner: joins all that was seen (agent/plan/world/world.h) and calls the planners of
 * devices and providers, in the order that they need. Without I/O, clock or log: the
 * same input gives the same plan.
 */
#ifndef AGENT_PLAN_PLANNER_H
#define AGENT_PLAN_PLANNER_H

#include "agent/plan/steps/plan.h"
#include "agent/plan/world/input.h"

/* Makes the plan; never fails. The caller frees it with plan_free(). */
struct plan *plan_make(const struct plan_input *input);

#endif
