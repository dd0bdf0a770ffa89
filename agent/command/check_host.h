/*
 * check_host: checks whether the configuration fits this host. A pure function of both.
 * What can never work as it is written is an error. An address that does not exist is a
 * warning, since a GPU that has failed must not prevent the others from being used.
 */
#ifndef AGENT_COMMAND_CHECK_HOST_H
#define AGENT_COMMAND_CHECK_HOST_H

#include "agent/desired/card_types.h"
#include "agent/host/host.h"
#include "config/config.h"

void check_host_types(const struct config *config, const struct host *host,
                      struct config_problems *problems);

/* Warns where operators have enabled or disabled at run time what the files say
 * otherwise. */
void check_host_choices(const struct config *config, const struct host *host,
                        const struct type_choices *choices,
                        struct config_problems *problems);

#endif
