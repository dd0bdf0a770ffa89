/* vgpu-agent run: the daemon. */
#include "agent/command/command.h"
#include "agent/daemon/daemon.h"

static int run(const struct command_context *context, int argc, char **argv)
{
    (void)argc, (void)argv;
    struct error err;
    int status = daemon_run(&context->settings, &err);
    return status < 0 ? command_fail(&err) : status;
}

const struct command command_run = {
    .name = "run",
    .summary = "the daemon, in the foreground; SIGTERM ends it, SIGHUP reloads",
    .run = run,
};
