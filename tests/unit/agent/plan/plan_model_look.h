/*
 * plan_model_look: what the agent sees of a plan_model (host, who uses the devices,
 * Placement, configuration), and the plan that it makes from that.
 */
#ifndef TESTS_UNIT_AGENT_PLAN_PLAN_MODEL_LOOK_H
#define TESTS_UNIT_AGENT_PLAN_PLAN_MODEL_LOOK_H

#include "tests/unit/agent/plan/plan_model.h"

/* Plans as the agent's cycle does: scans who uses the devices only when the plan needs
 * it. The second function gives the scan to every plan. The caller frees. */
struct plan *model_plan(struct model *model);
struct plan *model_plan_seeing(struct model *model);

#endif
