#include "agent/cycle_orders.h"

#include <string.h>

#include "agent/backend/backend.h"
#include "lib/xalloc.h"

static const struct cycle_round *last_round(const struct cycle *cycle)
{
    return &cycle->rounds[cycle->round_count - 1];
}

static const struct order *order_of(const struct agent *agent,
                                    const struct order_result *result)
{
    for (size_t i = 0; i < agent->orders.count; i++)
        if (strcmp(agent->orders.orders[i].device, result->device) == 0)
            return &agent->orders.orders[i];
    return NULL;
}

/* ---- the result of its step ---- */

static bool is_for(const struct step *step, const char *device)
{
    return step->ordered && (strcmp(step->device.uuid, device) == 0 ||
                             strcmp(step->device.address, device) == 0);
}

/* NULL: the plan has no step for it any more. */
static const struct step_result *result_of(const struct cycle_round *round,
                                           const char *device)
{
    for (size_t i = 0; round->execution && i < round->execution->count; i++)
        if (is_for(&round->plan->steps[i], device))
            return &round->execution->results[i];
    return NULL;
}

/* ---- a device that could not be made ---- */

/* Whether the host certainly has no device of that entry. What a child did before it
 * ended is only seen by another look. */
static bool is_absent(struct agent *agent, const struct journal_device *entry)
{
    _cleanup_(host_freep) struct host *host = NULL;
    struct error ignored;
    if (backend_leaves_parts(entry->backend))
        return false;
    if (!*entry->address)
        return true;
    if (host_reader_look(agent->reader, &host, &ignored) != 0)
        return false;
    device_worker_mark(agent->worker, host);
    const struct gpu *gpu = host_gpu(host, entry->gpu);
    return gpu && gpu->health == GPU_OK &&
           !host_device(host, entry->address, NULL, NULL);
}

/* The state file must not have it, or it would be made later, when nobody expects it. */
static void forget_unmade(struct agent *agent, const struct order *order)
{
    const struct journal_device *entry =
        journal_find_device(agent->journal, order->device);
    if (order->kind == ORDER_CREATE && entry && entry->by_hand &&
        is_absent(agent, entry) && journal_drop_device(agent->journal, order->device))
        agent->journal_unsaved = true;
}

/* What the device has now is not known, so nothing is noted to be put back. */
static void forget_parameters(struct agent *agent, const struct order *order)
{
    for (size_t i = 0; i < agent->journal->device_count; i++) {
        struct journal_device *entry = &agent->journal->devices[i];
        if (order->kind != ORDER_PARAMETERS ||
            (strcmp(entry->uuid, order->device) != 0 &&
             strcmp(entry->address, order->device) != 0))
            continue;
        free(entry->parameters);
        entry->parameters = NULL;
        entry->parameters_due = false;
        agent->journal_unsaved = true;
    }
}

/* ---- answers ---- */

static void answer(struct agent *agent, struct cycle *cycle, const struct order *order,
                   const struct order_answer *answer)
{
    struct error err;
    const char *state_file = agent->config->agent.state_file;
    if (agent->journal_unsaved && journal_save(agent->journal, state_file, &err) != 0) {
        strlist_add(&cycle->notes, err.text);
        return;
    }
    agent->journal_unsaved = false;
    if (order_answer_write(state_file, order->device, answer, &err) != 0 ||
        order_withdraw(state_file, order->device, &err) != 0)
        strlist_add(&cycle->notes, err.text);
}

static void refuse(struct agent *agent, struct cycle *cycle, const struct order *order,
                   enum error_code code, const char *reason)
{
    struct order_answer refusal = {0};
    forget_unmade(agent, order);
    (void)error_set(&refusal.refusal, code, "%s", reason);
    answer(agent, cycle, order, &refusal);
}

static void accept(struct agent *agent, struct cycle *cycle, const struct order *order)
{
    const struct journal_device *entry =
        journal_find_device(agent->journal, order->device);
    struct order_answer done = {0};
    if (order->kind == ORDER_CREATE && entry)
        done.text = xstrdup(entry->address);
    answer(agent, cycle, order, &done);
    free(done.text);
}

/* An interrupted step, or one that another look may allow, is tried again. */
static void take_result(struct agent *agent, struct cycle *cycle,
                        const struct order *order, const struct step_result *result,
                        bool final)
{
    switch (result->outcome) {
    case STEP_DONE:
        accept(agent, cycle, order);
        break;
    case STEP_UNDER_WAY:
        refuse(agent, cycle, order, ERROR_TIMEOUT,
               "the kernel has not answered yet, and goes on with it: `vgpu-agent "
               "devices` shows what comes of it");
        break;
    case STEP_FAILED:
        forget_parameters(agent, order);
        refuse(agent, cycle, order, result->code, result->reason);
        break;
    case STEP_SKIPPED:
        if (final)
            refuse(agent, cycle, order, ERROR_BUSY, result->reason);
        break;
    case STEP_OUTCOMES:
        break;
    }
}

static void settle(struct agent *agent, struct cycle *cycle, const struct order *order,
                   const struct order_result *result, bool final)
{
    const struct step_result *done = result_of(last_round(cycle), order->device);
    switch (result->state) {
    case ORDER_MET:
        accept(agent, cycle, order);
        break;
    case ORDER_REFUSED:
        refuse(agent, cycle, order, ERROR_BUSY, result->reason);
        break;
    case ORDER_WAITS:
        if (final)
            refuse(agent, cycle, order, ERROR_BUSY, result->reason);
        break;
    case ORDER_PLANNED:
        if (done)
            take_result(agent, cycle, order, done, final);
        break;
    }
}

void cycle_settle_orders(struct agent *agent, struct cycle *cycle, bool final)
{
    const struct plan *plan = cycle_plan(cycle);
    for (size_t i = 0; i < plan->order_count; i++) {
        const struct order *order = order_of(agent, &plan->orders[i]);
        if (order)
            settle(agent, cycle, order, &plan->orders[i], final);
    }
}
