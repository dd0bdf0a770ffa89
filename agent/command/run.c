/* vgpu-agent run: the daemon. */
#include "agent/daemon/daemon.h"

static int run(const struct command_context *context, int argc, char **argv)
{
    (void)argc, (void)argv;
    return daemon_run(context);
}

const struct command command_run = {
    .name = "run",
    .arguments = "",
    .summary = "the daemon, in the foreground; SIGTERM ends it, SIGHUP reloads",
    .run = run,
};
