/*
 * scan: reads the GPUs, their types and their devices from sysfs. Keeps nothing
 * between calls.
 *
 * What is looked at: class/mdev_bus (the parents), bus/mdev/devices (devices that are
 * under no parent yet) and bus/pci/devices (display-class cards that offer nothing);
 * each may be absent. Devices and available_instances are read in an order that can
 * only make the host look smaller than it is: a device that comes while we look is in
 * transition, one that goes is gone.
 */
#ifndef AGENT_HOST_SCAN_H
#define AGENT_HOST_SCAN_H

#include <stdbool.h>

#include "agent/host/host.h"
#include "lib/error.h"

/* Most files of a card ask its driver, or wait for it, and a driver can hang: then the
 * scan hangs. Listings and links are the kernel's own, and do not. */
struct scan_watch {
    /* Asked before each file of a card that could hang; false: it is not read. */
    bool (*may_read)(void *data, const char *gpu, const char *file);
    void *data;
};

/* `sysfs_root` is "/sys" or a tree that looks like it. What vanishes during the walk is
 * left out. What cannot be read makes its GPU GPU_UNREADABLE. -1 only when the root or
 * one of the three lists cannot be read: then nothing is known of the host. `watch` may
 * be NULL. */
int host_scan(const char *sysfs_root, const struct scan_watch *watch, struct host **out,
              struct error *err);

/* Fills in one device (but its uuid) from its folder `name` in `folder`. */
void host_scan_mdev(int folder, const char *name, struct mdev *mdev);

#endif
