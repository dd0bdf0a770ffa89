/*
 * agent_options: the tables of what vgpu-agent reads, but for [placement], which is
 * placement_config's.
 */
#ifndef CONFIG_AGENT_OPTIONS_H
#define CONFIG_AGENT_OPTIONS_H

#include "config/config.h"

/* [agent] and [devices]; lands in a struct config. */
extern const struct option_table agent_options;
/* [mdev_<type>], "mdev_*" in the table; lands in a struct mdev_type_config. */
extern const struct option_table mdev_options;

#endif
