/*
 * command_line: parses the command line: options, which may stand before the command
 * and after it, the command, and its arguments. An error is printed on standard error,
 * as one line that says what is accepted.
 */
#ifndef AGENT_COMMAND_COMMAND_LINE_H
#define AGENT_COMMAND_COMMAND_LINE_H

#include "agent/command/command.h"

struct command_line {
    /* NULL: there is nothing to run, and `status` is the exit status */
    const struct command *command;
    struct command_context context;
    int argc;
    char **argv; /* of the command: its name, then its arguments; borrowed */
    /* Without a command: the exit status. What the command line asked for (--help,
     * --version) or the error was printed. */
    int status;
};

/* May reorder `argv`. The caller ends `line` with command_line_clear(). */
void command_line_parse(int argc, char **argv, struct command_line *line);
void command_line_clear(struct command_line *line);

/* "Usage: ..." with options, commands and the configuration's options. */
void command_line_help(FILE *out);
/* The usage, the options and the purpose of one command. */
void command_line_help_of(const struct command *command, FILE *out);
/* NULL when there is no command of that name: then an error was printed, with the names
 * that are close to it. */
const struct command *command_line_find(const char *name);

#endif
