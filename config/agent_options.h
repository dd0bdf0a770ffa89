/*
 * agent_options: the tables of the options of vgpu-agent, except those of [placement],
 * which are in placement_config.
 */
#ifndef CONFIG_AGENT_OPTIONS_H
#define CONFIG_AGENT_OPTIONS_H

#include "config/config.h"

/* [agent] and [devices], for a struct config. */
extern const struct option_table agent_options;
/* [mdev_<type>], "mdev_*" in the table, for a struct mdev_type_config. */
extern const struct option_table mdev_options;
/* [vf_type_<type>], "vf_type_*" in the table, for a struct vf_type_config. */
extern const struct option_table vf_type_options;
/* [group_<name>], "group_*" in the table, for a struct group_config. */
extern const struct option_table group_options;

/* The section of these tables that has an option of that name, for messages:
 * "mdev_<type>"; NULL: none. */
const char *agent_options_place(const char *name);

#endif
