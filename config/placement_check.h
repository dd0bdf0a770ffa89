/*
 * placement_check: is what a section such as [placement] says complete? Stateless.
 */
#ifndef CONFIG_PLACEMENT_CHECK_H
#define CONFIG_PLACEMENT_CHECK_H

#include "config/placement_config.h"

/* Keystone takes one of: a project, a domain, the system, a trust. */
bool placement_check_has_many_scopes(const struct placement_config *config);
/* Is all there that the auth type needs, and can the files be read? Adds an error for
 * each option that is not. */
void placement_check(const struct placement_config *config,
                     struct config_problems *problems);

#endif
