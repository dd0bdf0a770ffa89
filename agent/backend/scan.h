/*
 * scan: reads the GPUs, their types and their devices from sysfs: calls the scan of
 * each kind of device (agent/backend/backends.h) and then adds the display-class PCI
 * cards that no kind has added (bus/pci/devices, which may be absent). Keeps nothing
 * between calls.
 */
#ifndef AGENT_BACKEND_SCAN_H
#define AGENT_BACKEND_SCAN_H

#include "agent/host/card.h"

/* `sysfs_root` is "/sys" or a tree of the same form. What is removed during the scan is
 * left out. A GPU that cannot be read becomes GPU_UNREADABLE. -1 only when the root or
 * one of the lists cannot be read: then nothing is known of the host. `watch` may be
 * NULL. */
int host_scan(const char *sysfs_root, const struct scan_watch *watch, struct host **out,
              struct error *err);
/* The same, with the cards and types that only the configuration names, and with struct
 * scan's `awaited`; both may be NULL. */
int host_scan_configured(const char *sysfs_root, const struct config *config,
                         const struct strlist *awaited, const struct scan_watch *watch,
                         struct host **out, struct error *err);

#endif
