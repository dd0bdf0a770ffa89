/*
 * vf_types: reads the sections [vf_type_<type>], which say what a type of virtual
 * functions is where no driver names types, into the enabled types' `vf`.
 */
#ifndef CONFIG_VF_TYPES_H
#define CONFIG_VF_TYPES_H

#include "config/config.h"

/* For the types that config->types has already. */
void vf_types_apply(struct config *config, const struct ini *ini,
                    struct config_problems *problems);
/* Whether the name is that of such a section. */
bool vf_types_has_section(const char *name);
void vf_type_clear(struct vf_type_config *vf);

#endif
