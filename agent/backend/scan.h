/*
 * scan: reads the GPUs, their types and their devices from sysfs: asks every kind of
 * device (agent/backend/backends.h) for what it finds, and adds the display-class PCI
 * cards that no kind has (bus/pci/devices, which may be absent). Keeps nothing between
 * calls.
 */
#ifndef AGENT_BACKEND_SCAN_H
#define AGENT_BACKEND_SCAN_H

#include "agent/host/card.h"

/* `sysfs_root` is "/sys" or a tree that looks like it. What vanishes during the walk is
 * left out. What cannot be read makes its GPU GPU_UNREADABLE. -1 only when the root or
 * one of the lists cannot be read: then nothing is known of the host. `watch` may be
 * NULL. */
int host_scan(const char *sysfs_root, const struct scan_watch *watch, struct host **out,
              struct error *err);

#endif
