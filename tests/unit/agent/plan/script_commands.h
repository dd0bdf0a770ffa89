/*
 * script_commands: the commands of a plan_script that change its plan_model, one
 * function each.
 */
#ifndef TESTS_UNIT_AGENT_PLAN_SCRIPT_COMMANDS_H
#define TESTS_UNIT_AGENT_PLAN_SCRIPT_COMMANDS_H

#include "tests/unit/agent/plan/script_words.h"

struct script_command {
    const char *name;
    void (*run)(struct script *s);
    bool looks; /* it does not change the world */
};

/* The command of that name; NULL: there is none. */
const struct script_command *script_command(const char *name);

#endif
