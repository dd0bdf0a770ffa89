/*
 * type_traits: the names of Placement's traits that describe a vGPU type. Stateless.
 *
 * A custom trait is CUSTOM_ and the text as os-traits normalises it: each run of
 * characters other than ASCII letters and digits becomes one '_', letters become upper
 * case. Placement takes 255 characters: a longer name is cut to 246 of them, '_' and
 * eight characters of a checksum over the whole, so that it is the same on every host
 * and two long names do not meet.
 *
 * The standard traits that a type earns by its attributes:
 * HW_GPU_MAX_DISPLAY_HEADS_<n>: exactly its num_heads, as the name says a maximum.
 * HW_GPU_RESOLUTION_W<w>H<h>: every listed one that fits into max_resolution in both
 * directions, as the name says that the resolution can be had: a flavor that asks for
 * 1920x1080 finds a type that goes to 7680x4320.
 */
#ifndef AGENT_PLAN_TYPE_TRAITS_H
#define AGENT_PLAN_TYPE_TRAITS_H

#include "agent/host/type_attributes.h"
#include "lib/strlist.h"

#define TRAIT_OWNER_AGENT "CUSTOM_OWNER_VGPU_AGENT"
#define TRAIT_OWNER_NOVA "OWNER_NOVA"

/* "GRID V100DX-1Q" is "CUSTOM_GRID_V100DX_1Q". The caller frees. */
char *trait_custom(const char *text);
/* Adds the standard traits that the attributes earn. */
void traits_add_standard(struct strlist *traits,
                         const struct type_attributes *attributes);

#endif
