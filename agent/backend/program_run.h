/*
 * program_run: runs a program of the vendor's or the operator's, without a shell, and
 * keeps what it said. Its exit status is not given: whoever runs it looks at the host.
 * Blocks: for a child process.
 */
#ifndef AGENT_BACKEND_PROGRAM_RUN_H
#define AGENT_BACKEND_PROGRAM_RUN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/error.h"

#define PROGRAM_OUTPUT 16384 /* bytes of the program's output that are kept */

/* All zero at first. */
struct program_run {
    pid_t pid;
    int output;
    char text[PROGRAM_OUTPUT]; /* the beginning of what it wrote */
    size_t length;
    bool ended; /* before the deadline */
};

/* Runs argv[0], an absolute path, until it ends or `deadline`
 * (clock_monotonic_ms()). -1: it could not be started. */
int program_run(struct program_run *run, char *const argv[], int64_t deadline,
                struct error *err);
/* The last line that has something in it; a part of run->text. */
const char *program_last_line(struct program_run *run);

#endif
