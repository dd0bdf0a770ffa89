/*
 * script_commands: what a plan_script can do to its plan_model: one function for each
 * command that changes the world.
 */
#ifndef TESTS_UNIT_AGENT_PLAN_SCRIPT_COMMANDS_H
#define TESTS_UNIT_AGENT_PLAN_SCRIPT_COMMANDS_H

#include "tests/unit/agent/plan/script_words.h"

struct script_command {
    const char *name;
    void (*run)(struct script *s);
    bool looks; /* it leaves the world as it is */
};

/* NULL: there is none of that name. */
const struct script_command *script_command(const char *name);

#endif
