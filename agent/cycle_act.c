#include "agent/cycle_parts.h"

#include <string.h>

#include "agent/backend/backend.h"
#include "agent/cycle_orders.h"
#include "lib/xalloc.h"

/* After a failed request, the plan may have been based on an outdated view of
 * Placement. */
static bool placement_failed(const struct cycle_round *round)
{
    for (size_t i = 0; i < round->execution->count; i++)
        if (round->execution->results[i].outcome == STEP_FAILED &&
            step_rules(round->plan->steps[i].kind)->doer == DONE_BY_PLACEMENT)
            return true;
    return false;
}

static void forget_placement(struct agent *agent, struct cycle *cycle)
{
    placement_fetch_forget(agent->fetch);
    cycle->observed = NULL;
}

/* Records the generations of our own writes: a view without them is an older one. */
static void note_writes(struct agent *agent, const struct cycle_round *round,
                        int64_t now)
{
    rewrites_note(&agent->rewrites, round->plan, round->execution, now);
    for (size_t i = 0; i < round->execution->count; i++) {
        const struct step *step = &round->plan->steps[i];
        if (round->execution->results[i].outcome != STEP_DONE)
            continue;
        if (step->kind == STEP_SET_INVENTORY || step->kind == STEP_SET_TRAITS)
            placement_fetch_wrote(agent->fetch, step->provider,
                                  round->execution->results[i].generation);
        else if (step->kind == STEP_CREATE_PROVIDER || step->kind == STEP_CREATE_ROOT ||
                 step->kind == STEP_DELETE_PROVIDER)
            placement_fetch_remade(agent->fetch, step->provider);
    }
}

static bool changed_device(const struct cycle_round *round)
{
    for (size_t i = 0; i < round->execution->count; i++)
        if (round->execution->results[i].outcome == STEP_DONE &&
            (round->plan->steps[i].kind == STEP_CREATE_DEVICE ||
             round->plan->steps[i].kind == STEP_REMOVE_DEVICE))
            return true;
    return false;
}

/* Whether a device was made of which the host must be seen again, to know by what a guest
 * has it: the state file has its address, but not its further functions. */
static bool made_of_parts(const struct cycle_round *round)
{
    for (size_t i = 0; i < round->execution->count; i++)
        if (round->execution->results[i].outcome == STEP_DONE &&
            round->plan->steps[i].kind == STEP_CREATE_DEVICE &&
            backend_leaves_parts(round->plan->steps[i].device.backend))
            return true;
    return false;
}

static void add_made(struct host *made, const struct journal_device *entry)
{
    struct gpu *gpu = host_add_gpu(made, entry->gpu);
    struct parent *parent = gpu_add_parent(gpu, entry->backend, entry->parent);
    struct device *device = parent_add_device(parent, entry->address);
    device->type_id = xstrdup(entry->type_id);
    if (strcmp(entry->address, entry->uuid) == 0)
        uuid_text_copy(device->uuid, entry->uuid);
}

/* Who is told of devices after the cycle needs no other look for those that it has
 * made. */
static void note_made(const struct agent *agent, struct cycle *cycle,
                      const struct cycle_round *round)
{
    for (size_t i = 0; i < round->execution->count; i++) {
        const struct step *step = &round->plan->steps[i];
        if (step->kind != STEP_CREATE_DEVICE ||
            round->execution->results[i].outcome != STEP_DONE)
            continue;
        const struct journal_device *entry =
            journal_find_device(agent->journal, step->device.uuid);
        if (!cycle->made)
            cycle->made = xcalloc(1, sizeof *cycle->made);
        if (entry && *entry->address)
            add_made(cycle->made, entry);
    }
}

/* What the writes have made of the providers is on disk before the next cycle, which then
 * has nothing to save where nothing else has changed. */
static void save_generations(struct agent *agent, struct execution *execution,
                             bool saves_later)
{
    struct error err;
    if (!agent->fetch || !placement_fetch_take_news(agent->fetch))
        return;
    agent->journal_unsaved = true;
    if (!saves_later && agent_save_journal(agent, &err) != 0 && !execution->unsaved)
        execution->unsaved = xstrdup(err.text);
}

bool cycle_act(struct agent *agent, int64_t now, struct cycle *cycle, bool saves_later)
{
    struct cycle_round *round = &cycle->rounds[cycle->round_count - 1];
    struct executor executor = {
        .client = agent->client,
        .worker = agent->worker,
        .root_uuid = cycle->observed ? cycle->observed->root_uuid : NULL,
        .journal = agent->journal,
        .journal_path = agent->config->agent.state_file,
        .journal_unsaved = &agent->journal_unsaved,
        .saves_later = saves_later,
        .late = &cycle->late,
        .take_back = agent->take_back,
        .attacher = agent->attacher,
        .patience = agent->patience,
        .interrupted = agent->interrupted,
        .data = agent->data,
    };
    round->execution = plan_execute(&executor, round->plan);
    note_writes(agent, round, now);
    save_generations(agent, round->execution, saves_later);
    note_made(agent, cycle, round);
    rewrites_report(&agent->rewrites, now, &cycle->notes);
    if (placement_failed(round))
        forget_placement(agent, cycle);
    cycle_end_adoption(agent, cycle);
    if (!saves_later)
        cycle_settle_orders(agent, cycle, false);
    return round->execution->look_again || made_of_parts(round) ||
           (round->plan->goes_on && changed_device(round));
}
