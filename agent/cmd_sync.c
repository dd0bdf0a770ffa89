/* vgpu-agent sync: one cycle, and what it did. */
#include <sysexits.h>
#include <time.h>

#include "agent/command_session.h"
#include "agent/plan_text.h"

#define PATIENCE \
    60000 /* milliseconds: nobody comes after us to see what became of it */

static void add_round(struct table *table, const struct cycle_round *round)
{
    for (size_t i = 0; round->execution && i < round->execution->count; i++) {
        const struct step *step = &round->plan->steps[i];
        const struct step_result *result = &round->execution->results[i];
        _cleanup_free_ char *what = step_text(step);
        table_string(table, step_kind_name(step->kind));
        table_string(table, step->gpu);
        table_string(table, step->provider_name);
        table_string(table, what);
        table_string(table, step_outcome_name(result->outcome));
        table_string(table, result->reason);
    }
}

static int print_done(const struct cycle *cycle, enum output_format format)
{
    static const char *const columns[] = {"step",   "gpu",    "provider", "what",
                                          "result", "reason", NULL};
    _cleanup_(table_freep) struct table *table = table_new(columns);
    size_t steps = 0;
    for (size_t i = 0; i < cycle->round_count; i++) {
        add_round(table, &cycle->rounds[i]);
        steps += cycle->rounds[i].plan->step_count;
    }
    if (steps > 0 || format == FORMAT_JSON)
        return table_print(table, format, stdout);
    return puts("nothing to do") < 0 || fflush(stdout) != 0 ? -1 : 0;
}

static void print_problems(const struct cycle *cycle)
{
    _cleanup_notices_ struct notices problems = {0};
    cycle_problems(cycle, &problems);
    for (size_t i = 0; i < problems.count; i++)
        fprintf(stderr, "vgpu-agent: %s\n", problems.items[i].text);
}

static int run(const struct command_context *context, int argc, char **argv)
{
    (void)argc, (void)argv;
    _cleanup_session_ struct command_session session = {0};
    int status = command_session_open(&session, context, AGENT_ACTS);
    if (status != EX_OK)
        return status;
    agent_set_patience(session.agent, PATIENCE);
    struct error err;
    const struct cycle *cycle = &session.cycle;
    int rc = cycle_run(session.agent, time(NULL), &session.cycle, &err);
    if (cycle->round_count > 0) {
        if (print_done(cycle, context->format) != 0)
            return EX_IOERR;
        print_problems(cycle);
    }
    if (rc != 0)
        return command_fail(&err);
    return cycle_settled(cycle) ? EX_OK : 1;
}

const struct command command_sync = {
    .name = "sync",
    .arguments = "",
    .summary = "one cycle: observe, decide, act; exit status 0 when all is as it "
               "should be",
    .run = run,
};
