/*
 * command_line: takes the words of the command line apart: options, which may stand
 * before the command and after it, the command, and its arguments. What is wrong with
 * them is said on standard error, in one line with what is accepted.
 */
#ifndef AGENT_COMMAND_COMMAND_LINE_H
#define AGENT_COMMAND_COMMAND_LINE_H

#include "agent/command/command.h"

struct command_line {
    const struct command *command; /* NULL: there is nothing to run, see `status` */
    struct command_context context;
    int argc;
    char **argv; /* of the command: its name, then its arguments; borrowed */
    int status; /* without a command: the exit status. What was asked for was printed */
};

/* May put the words of `argv` into another order. command_line_clear() afterwards. */
void command_line_parse(int argc, char **argv, struct command_line *line);
void command_line_clear(struct command_line *line);

/* "Usage: ..." with options, commands and the configuration's options. */
void command_line_help(FILE *out);
/* The same for one command. */
void command_line_help_of(const struct command *command, FILE *out);
/* NULL when there is none of that name: that is said, with those that are near. */
const struct command *command_line_find(const char *name);

#endif
