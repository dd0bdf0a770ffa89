/* vgpu-agent plan: what the daemon would do next. */
#include <sysexits.h>

#include "agent/command/session.h"
#include "agent/plan/steps/text.h"
#include "agent/report/cycle_problems.h"

/* Exit statuses. */
#define NOT_WELL 1
#define CHANGES 2

static int run(const struct command_context *context, int argc, char **argv)
{
    (void)argc, (void)argv;
    _cleanup_session_ struct command_session session = {0};
    int status = command_session_look(&session, context);
    if (status != EX_OK)
        return status;
    const struct plan *plan = cycle_plan(&session.cycle);
    _cleanup_problem_list_ struct problem_list found = {0};
    cycle_problems(&session.cycle, &found);
    _cleanup_strlist_ struct strlist problems = {0};
    for (size_t i = 0; i < found.count; i++)
        strlist_add(&problems, found.items[i].text);
    if (plan_print(plan, &problems, context->format, stdout) != 0)
        return EX_IOERR;
    if (plan->step_count > 0)
        return CHANGES;
    return problems.count > 0 ? NOT_WELL : EX_OK;
}

const struct command command_plan = {
    .name = "plan",
    .summary = "what the next cycle would do; exit status 0: nothing, 1: nothing, and "
               "not all is well, 2: changes",
    .run = run,
};
