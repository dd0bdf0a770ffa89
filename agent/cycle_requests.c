#include "agent/cycle_parts.h"

#include <string.h>

#include "agent/act/made_names.h"
#include "agent/state/requests.h"
#include "lib/xalloc.h"

/* Notes which GPUs an operator has cleaned, before anything is decided. A request stands
 * until it is on disk that it was met. */
static int take_cleanings(struct agent *agent, const struct strlist *gpus,
                          struct error *err)
{
    const char *state_file = agent->config->agent.state_file;
    for (size_t i = 0; i < gpus->count; i++)
        if (journal_clean(agent->journal, gpus->items[i]))
            agent->journal_unsaved = true;
    if (gpus->count && agent_save_journal(agent, err) != 0)
        return -1;
    for (size_t i = 0; i < gpus->count; i++)
        if (requests_withdraw(state_file, REQUEST_CLEAN, gpus->items[i], NULL, err) !=
            0)
            return -1;
    return 0;
}

static void take(struct strlist *list, struct requests *requests, enum request request)
{
    strlist_clear(list);
    *list = requests_take(requests, request);
}

void cycle_read_requests(struct agent *agent, struct cycle *cycle)
{
    const char *state_file = agent->config->agent.state_file;
    _cleanup_requests_ struct requests requests;
    struct error err;
    cycle->drained = &agent->drained;
    cycle->choices = &agent->choices;
    bool known = requests_read_all(state_file, &requests, &err) == 0;
    /* Those of the cycle before have been carried out. */
    if (agent->heeds_prune)
        take(&agent->prune, &requests, REQUEST_PRUNE);
    if (!known) {
        strlist_add_take(
            &cycle->notes,
            xasprintf("what operators have asked for cannot be read: %s", err.text));
        return;
    }
    take(&agent->drained, &requests, REQUEST_DRAINED);
    take(&agent->unreserved, &requests, REQUEST_UNRESERVE);
    take(&agent->servers, &requests, REQUEST_SERVER);
    take(&agent->choices.enabled, &requests, REQUEST_ENABLED);
    take(&agent->choices.disabled, &requests, REQUEST_DISABLED);
    /* The start of the guests does not wait for an order that waits for Placement. */
    if (agent->access != AGENT_RESTORES || agent->only_orders)
        orders_read(state_file, &requests.about[REQUEST_ORDER], &agent->orders);
    if (agent->access == AGENT_ACTS &&
        take_cleanings(agent, &requests.about[REQUEST_CLEAN], &err) != 0)
        strlist_add_take(
            &cycle->notes,
            xasprintf("that GPUs were cleaned cannot be noted: %s", err.text));
}

static int respell(const char *state_file, enum request request, const char *gpu,
                   const char *line, const char *type, struct error *err)
{
    _cleanup_free_ char *better = type_choice(gpu, type);
    return requests_give(state_file, request, better, NULL, err) == 0
               ? requests_withdraw(state_file, request, line, NULL, err)
               : -1;
}

static void spell_as_files(const struct agent *agent, struct cycle *cycle,
                           enum request request, const struct strlist *lines)
{
    for (size_t i = 0; i < lines->count; i++)
        for (size_t j = 0; j < cycle->host->gpu_count; j++) {
            const struct gpu *gpu = &cycle->host->gpus[j];
            const char *type = type_choice_for(lines->items[i], gpu->name);
            const struct mdev_type_config *section =
                type ? card_types_section(agent->config, gpu, type) : NULL;
            struct error err;
            if (section && strcmp(section->type, type) != 0 &&
                respell(agent->config->agent.state_file, request, gpu->name,
                        lines->items[i], section->type, &err) != 0)
                strlist_add_take(&cycle->notes,
                                 xasprintf("what operators have enabled cannot be "
                                           "noted as the files spell it: %s",
                                           err.text));
        }
}

void cycle_spell_choices(const struct agent *agent, struct cycle *cycle)
{
    spell_as_files(agent, cycle, REQUEST_ENABLED, &agent->choices.enabled);
    spell_as_files(agent, cycle, REQUEST_DISABLED, &agent->choices.disabled);
}

static bool is_still_reserved(const struct cycle *cycle, const char *gpu)
{
    const struct cycle_round *round = &cycle->rounds[cycle->round_count - 1];
    for (size_t i = 0; i < round->plan->step_count; i++)
        if (round->plan->steps[i].kind == STEP_SET_INVENTORY &&
            round->plan->steps[i].gpu && strcmp(round->plan->steps[i].gpu, gpu) == 0 &&
            (!round->execution || round->execution->results[i].outcome != STEP_DONE))
            return true;
    return false;
}

static bool is_written_by_us(const struct plan *plan,
                             const struct observed_provider *provider)
{
    const struct provider_service *found = plan_service(plan, provider->provider.uuid);
    return provider->detailed && found && found->service != GPU_FOREIGN;
}

/* Whether what is reserved on the GPU was seen, and is the agent's to write: only then
 * nothing is left to do where the plan has no step for it. */
static bool is_decided(const struct cycle *cycle, const char *gpu)
{
    for (size_t i = 0; i < cycle->desired->provider_count; i++) {
        const struct desired_provider *desired = &cycle->desired->providers[i];
        const struct observed_provider *observed =
            strcmp(desired->gpu_name, gpu) == 0
                ? desired_observe(cycle->observed, desired)
                : NULL;
        if (observed && !is_written_by_us(cycle_plan(cycle), observed))
            return false;
    }
    return cycle->observed->root_found;
}

void cycle_end_unreserving(struct agent *agent, struct cycle *cycle)
{
    struct error err;
    if (agent->access != AGENT_ACTS || !cycle->observed || agent->journal_unsaved ||
        cycle_plan(cycle)->other_root)
        return;
    for (size_t i = 0; i < agent->unreserved.count; i++)
        if (is_decided(cycle, agent->unreserved.items[i]) &&
            !is_still_reserved(cycle, agent->unreserved.items[i]) &&
            requests_withdraw(agent->config->agent.state_file, REQUEST_UNRESERVE,
                              agent->unreserved.items[i], NULL, &err) != 0)
            strlist_add(&cycle->notes, err.text);
    strlist_clear(&agent->unreserved);
}

void cycle_end_adoption(struct agent *agent, struct cycle *cycle)
{
    struct error err;
    if (!agent->adopts_root || agent->journal_unsaved)
        return;
    agent->adopts_root = false;
    if (requests_withdraw_all(agent->config->agent.state_file, REQUEST_ADOPT_ROOT,
                              &err) != 0)
        strlist_add(&cycle->notes, err.text);
}

void cycle_forget_servers(struct agent *agent, struct cycle *cycle)
{
    struct error err;
    for (size_t i = 0; cycle->observed && i < agent->servers.count; i++)
        if (!observed_has_consumer(cycle->observed, agent->servers.items[i]) &&
            requests_withdraw(agent->config->agent.state_file, REQUEST_SERVER,
                              agent->servers.items[i], NULL, &err) != 0)
            strlist_add(&cycle->notes, err.text);
}

void cycle_delete_names(struct agent *agent, struct cycle *cycle)
{
    _cleanup_strlist_ struct strlist traits = {0}, classes = {0};
    struct error err;
    bool changed;
    if (!strlist_contains(&agent->prune, PRUNE_NAMES) || !cycle->observed ||
        cycle_plan(cycle)->other_root)
        return;
    made_names_unwanted(agent->journal, agent->config, cycle->desired, &traits,
                        &classes);
    if (made_names_delete(agent->client, &traits, &classes, agent->journal, &changed,
                          &err) != 0)
        strlist_add_take(&cycle->notes,
                         xasprintf("traits or classes that nobody uses could not be "
                                   "deleted: %s",
                                   err.text));
    agent->journal_unsaved |= changed;
    if (changed &&
        journal_save(agent->journal, agent->config->agent.state_file, &err) == 0)
        agent->journal_unsaved = false;
}
