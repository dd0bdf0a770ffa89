/*
 * session: shared by the commands that look at the host and at Placement: the
 * configuration, the agent, and one look. Errors are printed here, once.
 */
#ifndef AGENT_COMMAND_SESSION_H
#define AGENT_COMMAND_SESSION_H

#include "agent/command/command.h"
#include "agent/cycle.h"

struct command_session {
    /* `lenient` is set by the caller: errors in the files do not end the command, since
     * the daemon keeps its old configuration, too. `faulty`: there were errors; all
     * were logged. */
    bool lenient, faulty;
    struct config *config;
    struct agent *agent;
    struct cycle cycle;
    /* What the operator must be told about the state file; it was logged. NULL:
     * nothing. */
    char *note;
    int64_t asked_at; /* when the daemon was woken: struct patience, since */
};

/* Reads the configuration and makes the agent. 0, or the exit status. The caller ends
 * the session with command_session_end() in both cases. */
int command_session_open(struct command_session *session,
                         const struct command_context *context,
                         enum agent_access access);
/* Whether `err` only follows from the errors in the files, which were logged: that
 * Placement's client cannot do with what is in [placement]. */
bool command_session_has_said(const struct command_session *session,
                              const struct error *err);
/* Like command_session_open(), and then calls cycle_look(), with who uses the
 * devices. */
int command_session_look(struct command_session *session,
                         const struct command_context *context);
void command_session_end(struct command_session *session);

/* INVALID when the root provider is not the state file's, with what to do: then it is
 * not known which consumer has which device. */
int command_check_root(const struct cycle *cycle, struct error *err);

/* Prints the steps of all rounds with their results, or the line `nothing`. -1 when
 * standard output failed. */
int command_print_done(const struct cycle *cycle, const char *nothing,
                       enum output_format format);
/* Prints each of cycle_problems() as a line on standard error. */
void command_print_problems(const struct cycle *cycle);

#define _cleanup_session_ _cleanup_(command_session_end)

#endif
