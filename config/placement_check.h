/*
 * placement_check: checks whether a section such as [placement] is complete. Stateless.
 */
#ifndef CONFIG_PLACEMENT_CHECK_H
#define CONFIG_PLACEMENT_CHECK_H

#include "config/placement_config.h"

/* Whether more than one scope is set: Keystone accepts one of project, domain, system
 * and trust. */
bool placement_check_has_many_scopes(const struct placement_config *config);
/* Adds an error for each option that the auth type needs and that is missing, and for
 * each file that cannot be read. */
void placement_check(const struct placement_config *config,
                     struct config_problems *problems);

#endif
