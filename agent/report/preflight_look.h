/*
 * preflight_look: what agent/report/preflight.h judges, read from the host: below
 * [agent] sysfs_root and host_root. Changes nothing, and calls no driver: beside the
 * host as it was scanned it reads names, links, permissions, and files of the kernel's
 * own. libvirt's socket is not looked at (agent/daemon/attach_place.h does).
 */
#ifndef AGENT_REPORT_PREFLIGHT_LOOK_H
#define AGENT_REPORT_PREFLIGHT_LOOK_H

#include "agent/report/preflight.h"

/* `sysfs_root` may differ from the configuration's (--sysfs-root). Never fails: what
 * could not be read is unseen. With a sysfs other than /sys beside the root directory
 * "/", which are not of one host, nothing of the root directory is seen. The caller ends
 * *out with preflight_seen_clear(); it borrows `config` and `host`. */
void preflight_look(const struct config *config, const char *sysfs_root,
                    const struct host *host, struct preflight_seen *out);

#endif
