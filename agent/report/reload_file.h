/*
 * reload_file: the result of the daemon's last reload, for `vgpu-agent reload`. The
 * file "<state file>.reload" has the daemon's pid, the time at which it began to read
 * its files (CLOCK_MONOTONIC, which all processes share) and, when the daemon keeps the
 * old configuration, the reason. A command reads the clock before it asks for the
 * reload: a reload that began later is an answer to it, whoever has asked for it.
 * Stateless.
 */
#ifndef AGENT_REPORT_RELOAD_FILE_H
#define AGENT_REPORT_RELOAD_FILE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/error.h"

/* CLOCK_MONOTONIC in nanoseconds. */
int64_t reload_clock(void);

/* Writes the file. `problem` is why the daemon keeps the old configuration; NULL: it
 * has the new one. */
int reload_answer_write(const char *state_file, int64_t begun, const char *problem,
                        struct error *err);
/* Removes the file of an earlier daemon. */
void reload_answer_forget(const char *state_file);

/* True when the daemon `pid` has done a reload that began at `since` or later. *problem
 * is then why it kept the old configuration, NULL where it did not; the caller frees. A
 * file that cannot be read is no answer yet. */
bool reload_answer_read(const char *state_file, pid_t pid, int64_t since,
                        char **problem);

#endif
