/* vgpu-agent reload: makes the daemon read its files again. */
#include <signal.h>
#include <stdio.h>
#include <sysexits.h>

#include "agent/command/command.h"
#include "agent/state/instance_lock.h"

static int run(const struct command_context *context, int argc, char **argv)
{
    (void)argc, (void)argv;
    _cleanup_(config_freep) struct config *config = NULL;
    /* Files with errors would be refused there, where nobody looks. */
    if (settings_load_full(&context->settings, &config) != 0)
        return EX_CONFIG;
    struct error err;
    pid_t pid;
    if (instance_signal_daemon(config->agent.state_file, SIGHUP, &pid, &err) != 0)
        return command_fail(&err);
    printf("the daemon (pid %ld) reads its files again\n", (long)pid);
    return fflush(stdout) == 0 ? EX_OK : EX_IOERR;
}

const struct command command_reload = {
    .name = "reload",
    .summary = "the daemon reads its files again, as after SIGHUP",
    .run = run,
};
