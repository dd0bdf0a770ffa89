/*
 * instance_lock: one writer a host. The daemon, and each command that changes
 * something, holds a record lock (fcntl(2)) on the file "<state file>.lock" for as long
 * as it lives. The kernel lets go of it when the holder dies, and children do not
 * inherit it, so a crash leaves nothing to clean up; the file stays, and says which
 * command its last holder was. A process must not open the file again while it holds
 * the lock: closing it would let go.
 */
#ifndef AGENT_STATE_INSTANCE_LOCK_H
#define AGENT_STATE_INSTANCE_LOCK_H

#include <stdint.h>
#include <sys/types.h>

#include "lib/error.h"

/* The daemon's name as a command. */
#define INSTANCE_DAEMON "run"

struct instance_holder {
    pid_t pid;        /* 0: nobody holds it */
    char command[32]; /* "run", "sync"; "" where it has not said yet */
    int64_t since;    /* seconds since the epoch; 0 where it has not said yet */
};

/* `command` is what we are. *out is a descriptor; closing it ends the lock. BUSY, with
 * who holds it in the text, when another process has it. */
int instance_lock_take(const char *state_file, const char *command, int *out,
                       struct error *err);

/* Takes nothing. */
int instance_lock_holder(const char *state_file, struct instance_holder *out,
                         struct error *err);

/* Sends the daemon a signal, and nobody else: NOT_FOUND when none runs. `pid` may be
 * NULL. */
int instance_signal_daemon(const char *state_file, int signal, pid_t *pid,
                           struct error *err);

#endif
