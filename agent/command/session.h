/*
 * session: what commands share that look at the host and at Placement: the
 * configuration, the agent, and one look. Errors are printed here, once.
 */
#ifndef AGENT_COMMAND_SESSION_H
#define AGENT_COMMAND_SESSION_H

#include "agent/command/command.h"
#include "agent/cycle.h"

struct command_session {
    /* To be set before it is opened: errors of the files do not end it, since the
     * daemon goes on, too, with what it had. `faulty`: there were some; all were said. */
    bool lenient, faulty;
    struct config *config;
    struct agent *agent;
    struct cycle cycle;
    char *note; /* what there is to hear about the state file; it was logged. NULL:
                   nothing */
};

/* Reads the configuration and opens the agent. 0, or the exit status. In both cases the
 * caller ends it with command_session_end(). */
int command_session_open(struct command_session *session,
                         const struct command_context *context,
                         enum agent_access access);
/* The same, and cycle_look() with who uses the devices. */
int command_session_look(struct command_session *session,
                         const struct command_context *context);
void command_session_end(struct command_session *session);

/* Under another root than the state file's it is not known who has what: INVALID with
 * that, and what mends it. */
int command_check_root(const struct cycle *cycle, struct error *err);

/* The steps of all rounds and what became of them, or the line `nothing`. 0, or -1 when
 * standard output failed. */
int command_print_done(const struct cycle *cycle, const char *nothing,
                       enum output_format format);
/* cycle_problems(), a line each, on standard error. */
void command_print_problems(const struct cycle *cycle);

#define _cleanup_session_ _cleanup_(command_session_end)

#endif
