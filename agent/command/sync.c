/* vgpu-agent sync: runs one cycle and prints what it did. */
#include <sysexits.h>

#include "agent/command/session.h"
#include "agent/report/cycle_problems.h"

#define PATIENCE \
    60000 /* milliseconds: no later cycle will report the result of an operation */

static int run(const struct command_context *context, int argc, char **argv)
{
    (void)argc, (void)argv;
    _cleanup_session_ struct command_session session = {0};
    int status = command_session_open(&session, context, AGENT_ACTS);
    if (status != EX_OK)
        return status;
    agent_set_patience(session.agent, PATIENCE);
    agent_look_closely(session.agent);
    struct error err;
    const struct cycle *cycle = &session.cycle;
    int rc = cycle_run(session.agent, agent_now(session.agent), &session.cycle, &err);
    if (cycle->round_count > 0) {
        if (command_print_done(cycle, "nothing to do", context->format) != 0)
            return EX_IOERR;
        command_print_problems(cycle);
    }
    if (rc != 0)
        return command_fail(&err);
    return cycle_settled(cycle) ? EX_OK : 1;
}

const struct command command_sync = {
    .name = "sync",
    .summary = "one cycle: observe, decide, act; exit status 0 when all is as it "
               "should be",
    .run = run,
};
