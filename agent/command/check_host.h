/*
 * check_host: does the configuration fit this host? A pure function of both. An error
 * is what can never work as it is written; an address that is not there is a warning,
 * since a GPU that died must not keep the others from being served.
 */
#ifndef AGENT_COMMAND_CHECK_HOST_H
#define AGENT_COMMAND_CHECK_HOST_H

#include "agent/host/host.h"
#include "config/config.h"

void check_host_types(const struct config *config, const struct host *host,
                      struct config_problems *problems);

#endif
