/* vgpu-agent plan: what the daemon would do next. */
#include <sysexits.h>

#include "agent/command/session.h"
#include "agent/plan/text.h"

#define CHANGES 2 /* exit status */

static int run(const struct command_context *context, int argc, char **argv)
{
    (void)argc, (void)argv;
    _cleanup_session_ struct command_session session = {0};
    int status = command_session_look(&session, context);
    if (status != EX_OK)
        return status;
    const struct plan *plan = cycle_plan(&session.cycle);
    if (plan_print(plan, context->format, stdout) != 0)
        return EX_IOERR;
    return plan->step_count > 0 ? CHANGES : EX_OK;
}

const struct command command_plan = {
    .name = "plan",
    .arguments = "",
    .summary = "what the next cycle would do; exit status 2 when there is something",
    .run = run,
};
