/*
 * ask_daemon: shared by the commands that leave a change to the running daemon: they
 * put a request beside the state file, wake the daemon, and look until it has carried
 * the request out.
 */
#ifndef AGENT_COMMAND_ASK_DAEMON_H
#define AGENT_COMMAND_ASK_DAEMON_H

#include <stdint.h>

#include "agent/command/session.h"

/* The state of waiting for the daemon. All zero at the start but `since`, which is
 * command_ask_time() right before the daemon was told. */
struct patience {
    int64_t end;   /* when to give up, in milliseconds of the monotonic clock */
    int64_t since; /* when the daemon was asked, in nanoseconds since the epoch */
    long pause;    /* the next pause, in nanoseconds */
    bool said;
};

/* Waits for one pause; each is twice as long as the one before, up to a limit. After
 * two seconds it says on standard error, once, that the daemon is busy, or what it says
 * that hinders it. TIMEOUT after half a minute; NOT_FOUND when the daemon has ended. */
int command_wait_a_moment(struct patience *patience, const char *state_file,
                          struct error *err);
/* Why a daemon that has ended a cycle meanwhile has not done it, in its own words. NULL:
 * it is still at work, or says nothing. The caller frees. */
char *command_why_not_done(const struct patience *patience, const char *state_file);

int64_t command_ask_time(void);

/* Makes the daemon start a cycle now. NOT_FOUND when no daemon runs. */
int command_wake_daemon(struct command_session *session, struct error *err);

/* Looks repeatedly until `done` returns true, with command_wait_a_moment() in
 * between. -1 when a look or the wait failed. The result of the last look stays in
 * the session. */
int command_wait_until(struct command_session *session,
                       bool (*done)(const struct command_session *session, void *data),
                       void *data, struct error *err);

/* Wakes the daemon for a request that stands in a file, and waits until it has carried
 * it out. NULL: it has, or there is nothing to be done; else why not yet. The caller
 * frees. */
char *command_ask(struct command_session *session,
                  bool (*done)(const struct command_session *session, void *data),
                  void *data);

/* Wakes the daemon, and waits until Placement has all that is to be there of the GPUs'
 * providers and inventories. NULL: it has; else why not yet. The caller frees. */
char *command_wait_for_gpus(struct command_session *session, struct strlist *gpus);

#endif
