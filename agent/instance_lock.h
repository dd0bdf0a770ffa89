/*
 * instance_lock: one writer a host. The daemon, and each command that changes
 * something, holds the file "<state file>.lock" (flock(2)) for as long as it lives; the
 * file names the holder's pid for the message that others print. The kernel lets go of
 * it when the holder dies, so a crash leaves nothing to clean up; the file stays.
 */
#ifndef AGENT_INSTANCE_LOCK_H
#define AGENT_INSTANCE_LOCK_H

#include "lib/error.h"

/* *out is a descriptor; closing it ends the lock. BUSY, with the holder's pid in the
 * text, when another process has it. */
int instance_lock_take(const char *state_file, int *out, struct error *err);

#endif
