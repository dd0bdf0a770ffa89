/*
 * plan_model_execute: carries out the steps of a plan in a plan_model, as the executor
 * does. Everything that a step must never do fails the test.
 */
#ifndef TESTS_UNIT_AGENT_PLAN_PLAN_MODEL_EXECUTE_H
#define TESTS_UNIT_AGENT_PLAN_PLAN_MODEL_EXECUTE_H

#include "tests/unit/agent/plan/plan_model.h"

/* Notes the intentions of all steps, and carries out the first `count` of them. */
void model_execute(struct model *model, const struct plan *plan, size_t count);
/* As model_execute(), in a world that has changed since the plan was made: Placement
 * refuses writes with an older generation, which ends the plan for that GPU; the
 * kernel, and the check right before a removal, refuse what is no longer possible. */
void model_execute_late(struct model *model, const struct plan *plan, size_t count);
/* As model_execute(), and then the agent is killed: the journal on disk has the
 * intentions only. */
void model_execute_and_die(struct model *model, const struct plan *plan, size_t count);
/* Plans and executes until there is nothing to do; fails when that does not end. */
void model_settle(struct model *model);
/* As model_settle(), with plans that all know who uses the devices. */
void model_settle_seeing(struct model *model);

#endif
