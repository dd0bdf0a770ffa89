/* vgpu-agent: runs the command that the command line names. */
#include <signal.h>
#include <sys/prctl.h>

#include "agent/command/command_line.h"

static int run(struct command_line *line)
{
    struct error err;
    if (!line->command)
        return line->status;
    if (settings_use_daemons_files(&line->context.settings, &err) != 0)
        return command_fail(&err);
    return line->command->run(&line->context, line->argc, line->argv);
}

int main(int argc, char **argv)
{
    /* The configuration holds secrets: no core dumps, and no access for other
     * processes. */
    prctl(PR_SET_DUMPABLE, 0);
    signal(SIGPIPE, SIG_IGN);

    struct command_line line;
    command_line_parse(argc, argv, &line);
    int status = run(&line);
    command_line_clear(&line);
    return status;
}
