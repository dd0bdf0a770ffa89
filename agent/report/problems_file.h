/*
 * problems_file: the problems that the daemon finds, for `vgpu-agent status`. The first
 * line of the file "<state file>.problems" has the daemon's pid and the digest of its
 * configuration; each further line is a problem. The file is replaced when they change;
 * its modification time is the end of the last cycle. A command can read the host and
 * Placement itself, but it cannot see which steps of the daemon fail, nor whether the
 * daemon still works.
 *
 * One thread, the daemon's; problems_file_read() keeps nothing.
 */
#ifndef AGENT_REPORT_PROBLEMS_FILE_H
#define AGENT_REPORT_PROBLEMS_FILE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "agent/report/problems.h"
#include "lib/error.h"
#include "lib/uuid.h"

/* What was written last. All zero: nothing was. */
struct problems_file {
    char *text;
    /* The digest of the daemon's configuration (struct config), set by the caller. */
    char digest[UUID_TEXT_SIZE];
};

/* The problem that the daemon and commands report when the files have changed since the
 * daemon read them. */
#define DAEMON_FILES_CHANGED                                                           \
    "the files say something else than what the daemon has read: `vgpu-agent reload` " \
    "makes it read them"

/* To be called at the end of each cycle: writes the problems, or, when the file has
 * them already, only sets its modification time. On a full disk the file is overwritten
 * in place. */
int problems_file_write(struct problems_file *report, const char *state_file,
                        const struct problem_list *problems, struct error *err);
void problems_file_clear(struct problems_file *report);

/* Adds the problems that the daemon `pid` has written. *cycle_end is when its last
 * cycle ended, in seconds since the epoch, 0 when none has; `digest` is that of its
 * configuration, "" where the file has none. */
int problems_file_read(const char *state_file, pid_t pid, struct problem_list *out,
                       int64_t *cycle_end, char digest[UUID_TEXT_SIZE],
                       struct error *err);

/* Whether a cycle of the daemon has ended since that time, in nanoseconds since the
 * epoch. */
bool problems_file_is_newer(const char *state_file, int64_t time);

/* A text that says that the file system of the state file has no space left; NULL: it
 * has some, or that cannot be found out. The caller frees. */
char *state_folder_full(const char *state_file);

/* A daemon that has ended no cycle for this many seconds does not work any more: some
 * intervals, a minute between attempts while Placement cannot be reached, and the time
 * that a slow request may take with its retries. */
int64_t daemon_overdue_after(unsigned sync_interval);

#endif
