/*
 * type_attributes: the numbers in the description of a type. Two formats are known:
 * NVIDIA's one line "num_heads=4, frl_config=60, framebuffer=2048M,
 * max_resolution=7680x4320, max_instance=12" and Intel GVT-g's lines "low_gm_size:
 * 128MB\nhigh_gm_size: 512MB\nfence: 4\nresolution: 1920x1200\nweight: 4". A member is
 * 0 when the description does not give it.
 */
#ifndef AGENT_HOST_TYPE_ATTRIBUTES_H
#define AGENT_HOST_TYPE_ATTRIBUTES_H

#include <stdbool.h>

struct type_attributes {
    unsigned num_heads;
    unsigned frl_config; /* frame rate limit, in frames per second */
    /* NVIDIA's framebuffer; Intel's low_gm_size + high_gm_size */
    unsigned framebuffer_mib;
    unsigned max_width, max_height;
    unsigned max_instance; /* on the whole card, not on one VF */
    /* max_instance is what the card takes beside its devices of other types as they are
     * now. Else it is what an empty card takes. */
    bool beside_others;
};

/* Never fails: a value that cannot be understood is 0. `description` may be NULL. */
struct type_attributes type_attributes_parse(const char *description);

#endif
