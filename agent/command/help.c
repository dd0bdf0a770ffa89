/* vgpu-agent help [COMMAND]: lists the commands, or explains one. */
#include <stdio.h>
#include <sysexits.h>

#include "agent/command/command_line.h"

static int run(const struct command_context *context, int argc, char **argv)
{
    (void)context;
    if (argc < 2) {
        command_line_help(stdout);
        return fflush(stdout) == 0 ? EX_OK : EX_IOERR;
    }
    const struct command *command = command_line_find(argv[1]);
    if (!command)
        return EX_USAGE;
    command_line_help_of(command, stdout);
    return fflush(stdout) == 0 ? EX_OK : EX_IOERR;
}

const struct command command_help = {
    .name = "help",
    .argument = "COMMAND",
    .argument_may_be_left_out = true,
    .summary = "all commands and options, or one command",
    .run = run,
};
