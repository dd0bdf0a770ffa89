/*
 * mdev_scan: reads mediated devices, their types and their parents from sysfs, as the
 * kernel's mdev core shows them: class/mdev_bus (the parents) and bus/mdev/devices
 * (devices whose parent does not show them); each may be absent. Keeps nothing.
 *
 * Devices and available_instances are read in such an order that an error can only make
 * the host's capacity appear too low: a device that is made during the scan is in
 * transition, and one that is removed is absent.
 */
#ifndef AGENT_BACKEND_MDEV_SCAN_H
#define AGENT_BACKEND_MDEV_SCAN_H

#include "agent/host/card.h"

/* The kind's name, in the journal and in every device. */
#define MDEV_NAME "mdev"

/* As in struct backend. `root` is a descriptor of sysfs. */
int mdev_scan(const struct scan *scan, int root, struct error *err);

/* Fills in a device, except its uuid, from its folder `name` below `folder`. */
void mdev_scan_device(int folder, const char *name, struct device *mdev);

#endif
