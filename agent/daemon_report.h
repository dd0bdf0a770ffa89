/*
 * daemon_report: what the daemon finds not well, for `vgpu-agent status`: a file
 * "<state file>.problems" with the daemon's pid in the first line and then one problem
 * a line, replaced when they change. A command that looks for itself sees the host and
 * Placement, but not which of the daemon's steps fail.
 *
 * One thread, the daemon's; daemon_report_read() keeps nothing.
 */
#ifndef AGENT_DAEMON_REPORT_H
#define AGENT_DAEMON_REPORT_H

#include <sys/types.h>

#include "agent/notices.h"
#include "lib/error.h"

/* What was written last. All zero: nothing. */
struct daemon_report {
    char *text;
};

/* Writes the problems, unless that is what the file says already. */
int daemon_report_write(struct daemon_report *report, const char *state_file,
                        const struct notices *problems, struct error *err);
void daemon_report_clear(struct daemon_report *report);

/* Adds what the daemon `pid` has written; nothing when it has not written yet. */
int daemon_report_read(const char *state_file, pid_t pid, struct notices *out,
                       struct error *err);

#endif
