/*
 * devices: makes config->types from [devices] enabled_mdev_types and the sections
 * [mdev_<type>], by the rules of Nova's current release, with three differences:
 * upper-case addresses match, an invalid address is refused, and max_instances limits
 * the inventory.
 */
#ifndef CONFIG_DEVICES_H
#define CONFIG_DEVICES_H

#include "config/config.h"

/* Fills config->types from config->enabled_mdev_types and the files. */
void devices_apply(struct config *config, const struct ini *ini,
                   struct config_problems *problems);
/* Whether the name is that of a section for a type, [mdev_<type>] or [vgpu_<type>]. */
bool devices_has_section(const char *name);
void devices_clear(struct config *config);

#endif
