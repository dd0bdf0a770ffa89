/*
 * nvidia_mig: cards that NVIDIA's tools have cut into GPU instances (MIG), and the types
 * that are for them. Keeps nothing.
 *
 * How many instances a card has stands below /proc/driver/nvidia; of which shape they
 * are ("1g.5gb") only NVML tells. The types tell it by their names: "A100-1-5C" is for
 * instances of one slice with 5 GB, "A100-1-5CME" for those with media engines. The
 * driver offers a type as long as an instance of its shape is free.
 *
 * https://docs.nvidia.com/datacenter/tesla/mig-user-guide/ ("Device Nodes and
 * Capabilities"); the vGPU user guide, "MIG-Backed NVIDIA vGPU Internal Architecture".
 */
#ifndef AGENT_BACKEND_NVIDIA_MIG_H
#define AGENT_BACKEND_NVIDIA_MIG_H

#include <stdbool.h>

#include "agent/backend/backend.h"

/* The N of the card's node /dev/nvidiaN; -1: it cannot be seen. `root` is a descriptor of
 * the folder that contains proc. */
long nvidia_device_minor(int root, const char *card);

/* The GPU instances of the card; -1: they cannot be seen. `root` is a descriptor of the
 * folder that contains proc. */
int nvidia_mig_count(int root, const char *card);

/* Whether the type's name, or what the configuration calls it, is that of a MIG-backed
 * type; NULL is none. */
bool nvidia_mig_is_type(const char *name);

/* How many more of the type the card's instances are certain to take: all that are free
 * where the card's types are for one shape alone; else one, as long as the driver offers
 * the type. */
unsigned nvidia_mig_room(const struct gpu *gpu, const struct device_type *type);

/* For mdevs, whose max_instance is that of a card with nothing but the type's shape:
 * limits it to the instances that there are. For the host after all scans. */
void nvidia_mig_limit(struct host *host);

#endif
