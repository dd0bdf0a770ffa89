/*
 * mdev: mediated devices, with the interface of the kernel's mdev core:
 * <parent>/mdev_supported_types/<type>/create takes a uuid, <parent>/<uuid>/remove
 * takes "1". The core's behaviour in rare cases was measured on Linux 6.1 and 6.12.
 *
 * Nothing is written to a device that is not complete: a `remove` before the `create`
 * has returned blocks it for good. Nor is anything written to a device that a process
 * has open (its VFIO group or device node) or that a libvirt domain names: this is
 * checked right before the write.
 */
#ifndef AGENT_BACKEND_MDEV_H
#define AGENT_BACKEND_MDEV_H

#include "agent/backend/backend.h"

extern const struct backend backend_mdev;

#endif
