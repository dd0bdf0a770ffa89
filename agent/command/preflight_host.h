/*
 * preflight_host: agent/report/preflight.h for this host, with all that is to be looked
 * at, for the commands that say it.
 */
#ifndef AGENT_COMMAND_PREFLIGHT_HOST_H
#define AGENT_COMMAND_PREFLIGHT_HOST_H

#include "agent/report/preflight.h"
#include "config/problems.h"

/* `sysfs_root` is the one that `host` was scanned below. The caller ends the result with
 * preflight_clear(). */
struct preflight preflight_of_host(const struct config *config, const char *sysfs_root,
                                   const struct host *host);
/* "iommu: what is so; what to do". The caller frees. */
char *preflight_text(const struct preflight_item *item);
/* Adds what is missing and concerns the configuration as warnings. */
void preflight_warn(const struct preflight *preflight,
                    struct config_problems *problems);

#endif
