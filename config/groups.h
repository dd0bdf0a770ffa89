/*
 * groups: makes config->groups from the sections [group_<name>]. A group is a set of
 * GPUs from which virtual GPUs are taken in one order. A GPU belongs to one group at
 * most.
 */
#ifndef CONFIG_GROUPS_H
#define CONFIG_GROUPS_H

#include "config/config.h"

/* Fills config->groups, in the order of the files. */
void groups_apply(struct config *config, const struct ini *ini,
                  struct config_problems *problems);
/* Whether the name is that of a group's section, [group_<name>]. */
bool groups_has_section(const char *name);
void groups_clear(struct config *config);

#endif
