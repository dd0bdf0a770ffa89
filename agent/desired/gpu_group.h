/*
 * gpu_group: the groups of GPUs that the configuration names, and in which order GPUs
 * are taken for further devices. Pure functions on the configuration and the host.
 *
 * An allocation says which GPU it is on, so that the agent has a choice only where an
 * operator makes a device without naming a GPU. Virtual functions of a card have one
 * device each at most: the first free one is taken in either order.
 */
#ifndef AGENT_DESIRED_GPU_GROUP_H
#define AGENT_DESIRED_GPU_GROUP_H

#include "agent/host/host.h"
#include "config/config.h"

/* The group that names the GPU, or a parent of it. NULL: there is none. */
const struct group_config *gpu_group_of(const struct config *config,
                                        const struct gpu *gpu);
/* CUSTOM_GPU_GROUP_<NAME>; the caller frees. */
char *gpu_group_trait(const struct group_config *group);

/* Sorts GPUs of one host that can all take a further device of the type (by id, name or
 * number) into the order in which they are taken: the groups first, as the files have
 * them, each by its own allocation and the number of devices, then the others, the one
 * with most room for the type first. Equal ones stay in the order of the bus. */
void gpu_group_sort(const struct config *config, const char *type,
                    const struct gpu **gpus, size_t count);

#endif
