#include "agent/cycle_parts.h"

#include <string.h>

#include "agent/act/made_names.h"
#include "agent/state/requests.h"
#include "lib/xalloc.h"

static void read_request(const struct agent *agent, struct cycle *cycle,
                         enum request request, struct strlist *list, const char *what)
{
    struct error err;
    if (requests_read(agent->config->agent.state_file, request, list, &err) != 0)
        strlist_add_take(&cycle->notes, xasprintf("%s: %s", what, err.text));
}

void cycle_read_requests(struct agent *agent, struct cycle *cycle)
{
    read_request(agent, cycle, REQUEST_DRAINED, &agent->drained,
                 "which GPUs are drained cannot be read");
    read_request(agent, cycle, REQUEST_SERVER, &agent->servers,
                 "whose devices were asked for cannot be read");
    read_request(agent, cycle, REQUEST_ENABLED, &agent->choices.enabled,
                 "which types operators have enabled cannot be read");
    read_request(agent, cycle, REQUEST_DISABLED, &agent->choices.disabled,
                 "which types operators have disabled cannot be read");
    cycle->drained = &agent->drained;
    cycle->choices = &agent->choices;
    /* The start of the guests does not wait for an order that waits for Placement. */
    struct error err;
    if (agent->access == AGENT_RESTORES && !agent->only_orders)
        return;
    if (orders_read(agent->config->agent.state_file, &agent->orders, &err) != 0)
        strlist_add_take(&cycle->notes,
                         xasprintf("orders for devices cannot be read: %s", err.text));
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

void cycle_take_cleanings(struct agent *agent, struct cycle *cycle)
{
    const char *state_file = agent->config->agent.state_file;
    _cleanup_strlist_ struct strlist gpus = {0};
    struct error err;
    int rc = requests_read(state_file, REQUEST_CLEAN, &gpus, &err);
    for (size_t i = 0; i < gpus.count; i++)
        if (journal_clean(agent->journal, gpus.items[i]))
            agent->journal_unsaved = true;
    /* A request stands until it is on disk that it was met. */
    if (rc == 0 && gpus.count && agent->journal_unsaved)
        rc = journal_save(agent->journal, state_file, &err);
    if (rc == 0 && gpus.count)
        agent->journal_unsaved = false;
    for (size_t i = 0; rc == 0 && i < gpus.count; i++)
        rc = requests_withdraw(state_file, REQUEST_CLEAN, gpus.items[i], NULL, &err);
    if (rc != 0)
        strlist_add_take(
            &cycle->notes,
            xasprintf("which GPUs were cleaned cannot be read: %s", err.text));
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
