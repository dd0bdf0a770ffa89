/*
 * instance_lock: at most one process on a host acts at a time. The daemon, and each
 * command that changes something, holds a record lock (fcntl(2)) on the file "<state
 * file>.lock" as long as it lives. The kernel releases the lock when the holder ends,
 * and children do not inherit it, so nothing must be cleaned up after a crash. The file
 * stays and names the command of its last holder. A process must not open the file
 * again while it holds the lock, since closing it would release the lock.
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
    char command[32]; /* "run", "sync"; "" where the holder has not written it yet */
    /* seconds since the epoch; 0 where the holder has not written it yet */
    int64_t since;
};

/* Takes the lock. `command` is the name of this process's command. *out is a
 * descriptor; closing it releases the lock. BUSY when another process holds it; the
 * text names that process. */
int instance_lock_take(const char *state_file, const char *command, int *out,
                       struct error *err);

/* Tells who holds the lock, without taking it. */
int instance_lock_holder(const char *state_file, struct instance_holder *out,
                         struct error *err);

/* Sends a signal to the daemon, and to no other holder of the lock: NOT_FOUND when no
 * daemon runs. `pid` may be NULL. */
int instance_signal_daemon(const char *state_file, int signal, pid_t *pid,
                           struct error *err);

#endif
