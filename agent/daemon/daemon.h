/*
 * daemon: `vgpu-agent run`: a cycle every sync_interval, at once after SIGHUP (which
 * reads the configuration again) and when a device operation that outlived its cycle
 * ends; an orderly end on SIGTERM and SIGINT. Tells systemd how it stands. While
 * Placement cannot be reached it waits longer and longer, and devices stay as they are.
 */
#ifndef AGENT_DAEMON_DAEMON_H
#define AGENT_DAEMON_DAEMON_H

#include "agent/settings.h"

/* The exit status; -1 when it could not start. */
int daemon_run(const struct settings *settings, struct error *err);

#endif
