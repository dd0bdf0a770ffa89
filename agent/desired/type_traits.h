/*
 * type_traits: the names of Placement's traits that describe a vGPU type. Stateless.
 *
 * A custom trait is CUSTOM_ and the text as os-traits normalises it: each run of
 * characters other than ASCII letters and digits becomes one '_', letters become upper
 * case. Placement takes 255 characters. A longer name is cut to 246 of them, and '_'
 * and eight characters of a checksum of the whole name are added, so that it is the
 * same on every host and two long names do not become the same trait.
 *
 * The standard traits that follow from a type's attributes:
 *
 * - HW_GPU_MAX_DISPLAY_HEADS_<n>: exactly its num_heads, since the trait names a
 *   maximum.
 * - HW_GPU_RESOLUTION_W<w>H<h>: every listed resolution that fits into max_resolution
 *   in both directions, since the trait says that the resolution can be used: a flavor
 *   that asks for 1920x1080 finds a type that goes up to 7680x4320.
 */
#ifndef AGENT_DESIRED_TYPE_TRAITS_H
#define AGENT_DESIRED_TYPE_TRAITS_H

#include "agent/host/type_attributes.h"
#include "lib/strlist.h"

#define TRAIT_OWNER_AGENT "CUSTOM_OWNER_VGPU_AGENT"
#define TRAIT_OWNER_NOVA "OWNER_NOVA"

/* The custom trait for a text: "GRID V100DX-1Q" gives "CUSTOM_GRID_V100DX_1Q". The
 * caller frees. */
char *trait_custom(const char *text);
/* Adds the standard traits that follow from the attributes. */
void traits_add_standard(struct strlist *traits,
                         const struct type_attributes *attributes);

#endif
