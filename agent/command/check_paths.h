/*
 * check_paths: what the configuration names on this host, and whether the agent can use
 * it: programs, the state file's folder, a name that Placement can take. Stateless.
 */
#ifndef AGENT_COMMAND_CHECK_PATHS_H
#define AGENT_COMMAND_CHECK_PATHS_H

#include "config/config.h"

/* Adds an error for each program that cannot be run and for a root_provider_name that is
 * too long, and a warning for a state file whose folder is not there. */
void check_paths(const struct config *config, struct config_problems *problems);

#endif
