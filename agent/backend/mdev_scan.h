/*
 * mdev_scan: mediated devices, their types and their parents from sysfs, as the kernel's
 * mdev core shows them: class/mdev_bus (the parents) and bus/mdev/devices (devices that
 * are under no parent yet); each may be absent. Keeps nothing.
 *
 * Devices and available_instances are read in an order that can only make the host look
 * smaller than it is: a device that comes while we look is in transition, one that goes
 * is gone.
 */
#ifndef AGENT_BACKEND_MDEV_SCAN_H
#define AGENT_BACKEND_MDEV_SCAN_H

#include "agent/host/card.h"

/* The kind, in the journal and beside every device. */
#define MDEV_NAME "mdev"

/* As struct backend has it. `root` is sysfs. */
int mdev_scan(const struct scan *scan, int root, struct error *err);

/* Fills in one device (but its uuid) from its folder `name` in `folder`. */
void mdev_scan_device(int folder, const char *name, struct device *mdev);

#endif
