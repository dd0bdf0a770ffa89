#include "agent/command/session.h"

#include <sysexits.h>
#include <time.h>

#include "agent/plan/steps/text.h"
#include "agent/report/cycle_problems.h"
#include "lib/log.h"

int command_session_open(struct command_session *session,
                         const struct command_context *context,
                         enum agent_access access)
{
    int rc = session->lenient
                 ? settings_load_faulty(&context->settings, &session->config,
                                        &session->faulty)
                 : settings_load_full(&context->settings, &session->config);
    if (rc != 0)
        return EX_CONFIG;
    struct error err;
    if (agent_new(session->config, access, context->command, time(NULL),
                  &session->agent, &session->note, &err) != 0)
        return command_fail(&err);
    if (session->note)
        log_error("agent", "%s", session->note);
    return EX_OK;
}

bool command_session_has_said(const struct command_session *session,
                              const struct error *err)
{
    return session->faulty && err->code == ERROR_INVALID;
}

int command_session_look(struct command_session *session,
                         const struct command_context *context)
{
    int status = command_session_open(session, context, AGENT_LOOKS);
    if (status != EX_OK)
        return status;
    struct error err;
    if (cycle_look(session->agent, agent_now(session->agent), true, &session->cycle,
                   &err) != 0)
        return command_session_has_said(session, &err) ? EX_CONFIG : command_fail(&err);
    return EX_OK;
}

void command_session_end(struct command_session *session)
{
    cycle_clear(&session->cycle);
    agent_free(session->agent);
    config_free(session->config);
    free(session->note);
}

int command_check_root(const struct cycle *cycle, struct error *err)
{
    const struct plan *plan = cycle_plan(cycle);
    if (!plan->other_root)
        return 0;
    return error_set(err, ERROR_INVALID, "%s",
                     plan->problems.items[plan->problems.count - 1]);
}

/* ---- printing what a cycle did ---- */

static void add_round(struct table *table, const struct cycle_round *round)
{
    for (size_t i = 0; round->execution && i < round->execution->count; i++) {
        const struct step *step = &round->plan->steps[i];
        const struct step_result *result = &round->execution->results[i];
        step_add_to(table, step);
        table_string(table, step_outcome_name(result->outcome));
        table_string(table, result->reason);
    }
}

int command_print_done(const struct cycle *cycle, const char *nothing,
                       enum output_format format)
{
    static const struct table_column columns[] = {
        {.key = "step"}, {.key = "gpu"},    {.key = "provider", .place = COLUMN_WIDE},
        {.key = "what"}, {.key = "result"}, {.key = "reason", .place = COLUMN_BELOW},
        {.key = NULL}};
    _cleanup_(table_freep) struct table *table = table_new(columns);
    size_t steps = 0;
    for (size_t i = 0; i < cycle->round_count; i++) {
        add_round(table, &cycle->rounds[i]);
        steps += cycle->rounds[i].plan->step_count;
    }
    if (steps > 0 || format == FORMAT_JSON)
        return table_print(table, format, stdout);
    return puts(nothing) < 0 || fflush(stdout) != 0 ? -1 : 0;
}

void command_print_problems(const struct cycle *cycle)
{
    _cleanup_problem_list_ struct problem_list problems = {0};
    cycle_problems(cycle, &problems);
    for (size_t i = 0; i < problems.count; i++)
        command_say(problems.items[i].text);
}
