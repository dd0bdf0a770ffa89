/*
 * plan_script: runs a case from the folder cases (its README.rst describes the
 * commands) on a plan_model.
 */
#ifndef TESTS_UNIT_AGENT_PLAN_PLAN_SCRIPT_H
#define TESTS_UNIT_AGENT_PLAN_PLAN_SCRIPT_H

#include "tests/unit/agent/plan/script_file.h"

/* Runs a case on a new world; afterwards that world must settle. The first wrong line
 * fails the test, with its file and number. */
void plan_case_run(const struct script_file *file, const struct script_block *running);

#endif
