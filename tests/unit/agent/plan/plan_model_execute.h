/*
 * plan_model_execute: carries out the steps of a plan in a plan_model, as the executor
 * does it. Everything that a step must never do fails the test.
 */
#ifndef TESTS_UNIT_AGENT_PLAN_PLAN_MODEL_EXECUTE_H
#define TESTS_UNIT_AGENT_PLAN_PLAN_MODEL_EXECUTE_H

#include "tests/unit/agent/plan/plan_model.h"

/* Carries out the first `count` steps, after noting the intentions of all. */
void model_execute(struct model *model, const struct plan *plan, size_t count);
/* The same, in a world that has moved on since the plan was made: Placement refuses
 * writes on an older generation, which ends what is planned for that GPU; the kernel
 * and the last look before a removal refuse what is not so any more. */
void model_execute_late(struct model *model, const struct plan *plan, size_t count);
/* As model_execute(), and then the agent dies: the journal on disk has the intentions
 * only. */
void model_execute_and_die(struct model *model, const struct plan *plan, size_t count);
/* Plans and executes until there is nothing to do; fails when that does not end. */
void model_settle(struct model *model);
/* The same, of plans that are all made in sight of who uses the devices. */
void model_settle_seeing(struct model *model);

#endif
