#include "agent/report/cycle_problems.h"

#include <string.h>

#include "agent/plan/steps/text.h"
#include "lib/xalloc.h"

static void add_failure(const struct step *step, const struct step_result *result,
                        struct problem_list *out)
{
    const char *gpu = step->gpu ? step->gpu : "", *colon = step->gpu ? ": " : "";
    _cleanup_free_ char *about =
        xasprintf("%s%s%s: %s", gpu, colon, step_kind_name(step->kind),
                  error_code_name(result->code));
    problems_add_take(out, about,
                      xasprintf("%s%s%s: %s", gpu, colon, step_kind_name(step->kind),
                                result->reason));
}

/* When the state file cannot be written, all steps fail for that one reason, which is
 * then added only once. It is added also when there was no step to fail. */
static void add_failures(const struct cycle_round *round, struct problem_list *out)
{
    const struct execution *execution = round->execution;
    if (!execution)
        return;
    if (execution->unsaved)
        problems_add(out, "state file", execution->unsaved);
    for (size_t i = 0; i < execution->count; i++) {
        const struct step_result *result = &execution->results[i];
        if (result->outcome == STEP_FAILED &&
            !(execution->unsaved && strcmp(execution->unsaved, result->reason) == 0))
            add_failure(&round->plan->steps[i], result, out);
    }
}

/* Pending allocations count only when neither this round nor nova-compute makes their
 * devices. */
static bool is_not_met(const struct allocation_status *status)
{
    return status->state == ALLOCATION_FAILED || (status->state == ALLOCATION_PENDING &&
                                                  !status->planned && !status->at_nova);
}

void cycle_problems(const struct cycle *cycle, struct problem_list *out)
{
    const struct cycle_round *round = &cycle->rounds[cycle->round_count - 1];
    add_failures(round, out);
    for (size_t i = 0; i < round->plan->allocation_count; i++) {
        const struct allocation_status *status = &round->plan->allocations[i];
        if (is_not_met(status))
            problems_add_take(out, NULL,
                              xasprintf("consumer %s on %s: %s", status->consumer,
                                        status->provider_name, status->reason));
    }
    const struct strlist *lists[] = {&round->plan->problems, &cycle->late,
                                     &cycle->notes};
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        for (size_t j = 0; j < lists[i]->count; j++)
            problems_add(out, NULL, lists[i]->items[j]);
}

bool cycle_settled(const struct cycle *cycle)
{
    const struct cycle_round *round = &cycle->rounds[cycle->round_count - 1];
    if (round->execution &&
        (round->execution->unsaved ||
         round->execution->outcomes[STEP_DONE] != round->execution->count))
        return false;
    for (size_t i = 0; i < round->plan->allocation_count; i++)
        if (is_not_met(&round->plan->allocations[i]))
            return false;
    return cycle->late.count == 0 && round->plan->problems.count == 0;
}
