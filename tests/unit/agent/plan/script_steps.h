/*
 * script_steps: a step of a plan in the words of a plan_script.
 */
#ifndef TESTS_UNIT_AGENT_PLAN_SCRIPT_STEPS_H
#define TESTS_UNIT_AGENT_PLAN_SCRIPT_STEPS_H

#include "tests/unit/agent/plan/script_words.h"

/* The step as a line of a script. The caller frees. */
char *script_step_words(struct script *s, const struct step *step);

#endif
