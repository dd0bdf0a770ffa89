/*
 * plan_model_dump: a plan_model as text, to show it and to compare it with another.
 */
#ifndef TESTS_UNIT_AGENT_PLAN_PLAN_MODEL_DUMP_H
#define TESTS_UNIT_AGENT_PLAN_PLAN_MODEL_DUMP_H

#include "tests/unit/agent/plan/plan_model.h"

/* Devices, providers and journal as sorted lines, to compare worlds. The caller frees.
 */
char *model_dump(const struct model *model);

#endif
