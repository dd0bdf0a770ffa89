/*
 * nvidia_vfio_scan: reads virtual functions that take types from sysfs, and completes
 * what their lists do not say (any more). Keeps nothing.
 *
 * The driver gives neither a number of instances nor a size of memory. A card's memory
 * is that of its largest type, whose name ends in it ("L40S-48Q": 48 GB), and a type
 * fits as often as its own goes into what the card's devices leave. Of a type whose name
 * does not say it, and of MIG's, only the next one is certain, where a function lists it.
 */
#ifndef AGENT_BACKEND_NVIDIA_VFIO_SCAN_H
#define AGENT_BACKEND_NVIDIA_VFIO_SCAN_H

#include "agent/backend/backend.h"

/* The kind's name, in the journal and in every device. */
#define NVIDIA_VFIO_NAME "nvidia_vfio"
/* What a type's number has before it in its id: as the same type is called where the
 * driver offers it as an mdev type. */
#define NVIDIA_VFIO_TYPE_PREFIX "nvidia-"

/* As in struct backend. */
int nvidia_vfio_scan(const struct scan *scan, int root, struct error *err);
void nvidia_vfio_recall(struct gpu *gpu, const struct known_type *known, size_t count);

/* The framebuffer that the type's name tells, in MiB: 49152 of "NVIDIA L40S-48Q"; 0: it
 * tells none, or is of a MIG-backed type ("A100-1-5C"), which gets its memory with a GPU
 * instance. `name` may be NULL. */
unsigned nvidia_vfio_framebuffer(const char *name);

#endif
