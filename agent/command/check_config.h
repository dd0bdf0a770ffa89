/*
 * check_config: finds all problems of the files by themselves and with this host and
 * [placement]. Sends no request to Placement. Stateless.
 */
#ifndef AGENT_COMMAND_CHECK_CONFIG_H
#define AGENT_COMMAND_CHECK_CONFIG_H

#include "agent/command/command.h"

/* Gives what could be read of the files, and adds every problem to `problems`, sorted.
 * Never NULL; the caller frees. */
struct config *check_config_problems(const struct command_context *context,
                                     struct config_problems *problems);

#endif
