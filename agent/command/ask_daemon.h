/*
 * ask_daemon: what commands share that leave something to the running daemon: they
 * put an order beside the state file, wake it, and look until it has been carried out.
 */
#ifndef AGENT_COMMAND_ASK_DAEMON_H
#define AGENT_COMMAND_ASK_DAEMON_H

#include <stdint.h>

#include "agent/command/session.h"

/* For who waits for the daemon; all zero at the start. */
struct patience {
    int64_t end; /* in milliseconds */
    long pause;  /* until the next look, in nanoseconds */
    bool said;
};

/* Pauses, from one look to the next twice as long. After two seconds it says, once, that
 * the daemon is at work, on standard error. TIMEOUT after half a minute; NOT_FOUND when
 * the daemon has ended. */
int command_wait_a_moment(struct patience *patience, const char *state_file,
                          struct error *err);

/* Makes the daemon begin a cycle now. NOT_FOUND when none runs. */
int command_wake_daemon(const struct command_session *session, struct error *err);

/* Looks again and again, until `done` says so, with command_wait_a_moment() in between;
 * else why it could not look. What the last look saw is in the session. */
int command_wait_until(struct command_session *session,
                       bool (*done)(const struct command_session *session, void *data),
                       void *data, struct error *err);

#endif
