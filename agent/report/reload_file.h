/*
 * reload_file: what came of the daemon's last reload, for `vgpu-agent reload`: a file
 * "<state file>.reload" with the daemon's pid, when it began to read its files
 * (CLOCK_MONOTONIC, which all processes share) and, where it goes on with the old
 * configuration, why. Who asks looks at the clock first: an answer that began later is to
 * him, whoever else asked. Stateless.
 */
#ifndef AGENT_REPORT_RELOAD_FILE_H
#define AGENT_REPORT_RELOAD_FILE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/error.h"

/* Nanoseconds of that clock. */
int64_t reload_clock(void);

/* `problem`: why the old configuration stays; NULL: it does not. */
int reload_answer_write(const char *state_file, int64_t begun, const char *problem,
                        struct error *err);
/* Of a daemon before this one. */
void reload_answer_forget(const char *state_file);

/* True: the daemon `pid` has done a reload that began at `since` or later, and *problem
 * (the caller's) is why it was refused, NULL where it was not. What cannot be read is no
 * answer yet. */
bool reload_answer_read(const char *state_file, pid_t pid, int64_t since,
                        char **problem);

#endif
