/*
 * check_config: all that is wrong with the files, with what they say of this host and of
 * Placement (which is not asked). Stateless.
 */
#ifndef AGENT_COMMAND_CHECK_CONFIG_H
#define AGENT_COMMAND_CHECK_CONFIG_H

#include "agent/command/command.h"

/* What could be read of the files; every problem is added to `problems`, sorted. Never
 * NULL; the caller frees. */
struct config *check_config_problems(const struct command_context *context,
                                     struct config_problems *problems);

#endif
