/*
 * mdev: mediated devices as the kernel's mdev core has them:
 * <parent>/mdev_supported_types/<type>/create takes a uuid, <parent>/<uuid>/remove
 * takes "1". What the core does in the odd cases was measured on Linux 6.1 and 6.12.
 *
 * A device that is not complete is never written to: a `remove` before the `create` has
 * returned wedges it for good. Nor is one that a process holds (its VFIO group or
 * device is open) or a libvirt domain names: this is looked at right before the write.
 */
#ifndef AGENT_BACKEND_MDEV_H
#define AGENT_BACKEND_MDEV_H

#include "agent/backend/backend.h"

extern const struct backend backend_mdev;

#endif
