/*
 * problems_file: what the daemon finds not well, for `vgpu-agent status`: a file
 * "<state file>.problems" with the daemon's pid and its configuration's digest in the
 * first line and then one problem a line, replaced when they change; its time is the
 * end of the last cycle. A command
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
#include "lib/uuid.h"

/* What was written last. All zero: nothing. */
struct problems_file {
    char *text;
    char digest[UUID_TEXT_SIZE]; /* the caller's to set: of the configuration that the
                                    daemon goes by (struct config) */
};

/* What is said where the files are others by now, by the daemon and by commands. */
#define DAEMON_FILES_CHANGED                                                           \
    "the files say something else than what the daemon has read: `vgpu-agent reload` " \
    "makes it read them"

/* At the end of each cycle: writes the problems, or, where the file says them already,
 * only that it is so still. On a full disk the file is written over in its place. */
int problems_file_write(struct problems_file *report, const char *state_file,
                        const struct problem_list *problems, struct error *err);
void problems_file_clear(struct problems_file *report);

/* Adds what the daemon `pid` has written; *cycle_end is when its last cycle ended, in
 * seconds since the epoch, 0 when none has; `digest` is that of its configuration, ""
 * where it has said none. */
int problems_file_read(const char *state_file, pid_t pid, struct problem_list *out,
                       int64_t *cycle_end, char digest[UUID_TEXT_SIZE],
                       struct error *err);

/* Whether anything can be written beside the state file: a line that says that no space
 * is left there; NULL: some is, or it cannot be told. The caller frees. */
char *state_folder_full(const char *state_file);

/* A daemon that has ended no cycle for so many seconds does not work any more: a few
 * intervals, a minute between attempts while Placement is away, and as long as a slow
 * request may take with its retries. */
int64_t daemon_overdue_after(unsigned sync_interval);

#endif
