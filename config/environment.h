/*
 * environment: options in the process's environment, as oslo.config takes them:
 * OS_PLACEMENT_DATABASE__CONNECTION is `connection` of [placement_database]. Reads the
 * environment, which no other thread may change meanwhile.
 */
#ifndef CONFIG_ENVIRONMENT_H
#define CONFIG_ENVIRONMENT_H

#include "config/ini.h"

/* Adds each variable as if it were one more file, so that it takes precedence over the
 * files. In messages the name of the variable stands for the file. */
void environment_read(struct ini *ini, struct config_problems *problems);

#endif
