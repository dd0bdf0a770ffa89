/*
 * command_session: what commands share that look at the host and at Placement: the
 * configuration, the agent, and one look. Errors are printed here, once.
 */
#ifndef AGENT_COMMAND_SESSION_H
#define AGENT_COMMAND_SESSION_H

#include "agent/command.h"
#include "agent/consumer_devices.h"
#include "agent/cycle.h"

struct command_session {
    struct config *config;
    struct agent *agent;
    struct cycle cycle;
};

/* Reads the configuration and opens the agent. 0, or the exit status. In both cases the
 * caller ends it with command_session_end(). */
int command_session_open(struct command_session *session,
                         const struct command_context *context,
                         enum agent_access access);
/* The same, and cycle_look() with who uses the devices. */
int command_session_look(struct command_session *session,
                         const struct command_context *context);
/* The same, and consumer_devices() of a consumer as it was typed. *out is the caller's,
 * and good until the session's end. */
int command_session_devices(struct command_session *session,
                            const struct command_context *context, const char *consumer,
                            struct consumer_device **out, size_t *count);
void command_session_end(struct command_session *session);

#define _cleanup_session_ _cleanup_(command_session_end)

#endif
