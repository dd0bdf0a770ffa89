/*
 * daemon: `vgpu-agent run`. It runs a cycle every sync_interval, at a moment of it that
 * the host's name chooses (pace.h), at once after SIGHUP (which reads the configuration
 * again), and when a device operation that outlived its cycle ends. SIGTERM and SIGINT
 * end it in an orderly way. It reports its state to systemd. While Placement cannot be
 * reached, the pauses grow, and devices stay as they are.
 */
#ifndef AGENT_DAEMON_DAEMON_H
#define AGENT_DAEMON_DAEMON_H

#include "agent/settings.h"

/* Gives the exit status; -1 when the daemon could not start. */
int daemon_run(const struct settings *settings, struct error *err);

#endif
