/*
 * problems_file: what the daemon finds not well, for `vgpu-agent status`: a file
 * "<state file>.problems" with the daemon's pid in the first line and then one problem
 * a line, replaced when they change; its time is the end of the last cycle. A command
 * that looks for itself sees the host and Placement, but not which of the daemon's
 * steps fail, nor whether it still does any.
 *
 * One thread, the daemon's; daemon_report_read() keeps nothing.
 */
#ifndef AGENT_REPORT_PROBLEMS_FILE_H
#define AGENT_REPORT_PROBLEMS_FILE_H

#include <stdint.h>
#include <sys/types.h>

#include "agent/report/problems.h"
#include "lib/error.h"

/* What was written last. All zero: nothing. */
struct daemon_report {
    char *text;
};

/* At the end of each cycle: writes the problems, or, where the file says them already,
 * only that it is so still. */
int daemon_report_write(struct daemon_report *report, const char *state_file,
                        const struct notices *problems, struct error *err);
void daemon_report_clear(struct daemon_report *report);

/* Adds what the daemon `pid` has written; *cycle_end is when its last cycle ended, in
 * seconds since the epoch, 0 when none has. */
int daemon_report_read(const char *state_file, pid_t pid, struct notices *out,
                       int64_t *cycle_end, struct error *err);

/* A daemon that has ended no cycle for so many seconds does not work any more: a few
 * intervals, a minute between attempts while Placement is away, and as long as a slow
 * request may take with its retries. */
int64_t daemon_overdue_after(unsigned sync_interval);

#endif
