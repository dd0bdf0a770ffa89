/*
 * instance_lock: one writer a host. The daemon, and each command that changes
 * something, holds a record lock (fcntl(2)) on the file "<state file>.lock" for as long
 * as it lives. The kernel lets go of it when the holder dies, and children do not
 * inherit it, so a crash leaves nothing to clean up; the file stays. A process must not
 * open the file again while it holds the lock: closing it would let go.
 */
#ifndef AGENT_INSTANCE_LOCK_H
#define AGENT_INSTANCE_LOCK_H

#include <sys/types.h>

#include "lib/error.h"

/* *out is a descriptor; closing it ends the lock. BUSY, with the holder's pid in the
 * text, when another process has it. */
int instance_lock_take(const char *state_file, int *out, struct error *err);

/* The process that holds the lock; 0: nobody does. Takes nothing. */
int instance_lock_holder(const char *state_file, pid_t *out, struct error *err);

#endif
