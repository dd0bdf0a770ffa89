/*
 * gpu_group: the groups of GPUs that the configuration names, and which of several GPUs
 * a further device is taken from. Pure functions on the configuration and the host.
 *
 * An allocation says which GPU it is on, so that the agent has a choice only where an
 * operator makes a device without naming a GPU. Virtual functions of a card have one
 * device each at most: the first free one is taken in either order.
 */
#ifndef AGENT_PLAN_GPU_GROUP_H
#define AGENT_PLAN_GPU_GROUP_H

#include "agent/host/host.h"
#include "config/config.h"
#include "lib/error.h"

/* The group that names the GPU, or a parent of it. NULL: there is none. */
const struct group_config *gpu_group_of(const struct config *config,
                                        const struct gpu *gpu);
/* CUSTOM_GPU_GROUP_<NAME>; the caller frees. */
char *gpu_group_trait(const struct group_config *group);

struct gpu_group_question {
    const struct config *config;
    const struct host *host;
    const struct strlist *drained; /* names of GPUs that get nothing new; NULL: none */
    const char *type;              /* by id, name or number, as gpu_resolve_type() */
    const char *group;             /* the group's name; NULL: all GPUs */
};

/* The GPU that a further device of the type is to be made on: healthy, not drained, not
 * configured for another type, with room for the device. Without a group, the groups
 * come first, in the order of the files, each with its own allocation, then the other
 * GPUs depth first. NOT_FOUND: there is none, and why; INVALID: there is no such
 * group. */
int gpu_group_choose(const struct gpu_group_question *question, const struct gpu **out,
                     struct error *err);

#endif
