#include "agent/cycle.h"

#include <string.h>

#include "agent/cycle_orders.h"
#include "agent/cycle_parts.h"
#include "lib/xalloc.h"

/* Every so many looks the agent also reads who uses the devices. It reports a domain
 * that names the device of another consumer, or a process that has such a device open:
 * neither changes Placement or sysfs, and no plan needs to know. And it sees a process
 * that has the place of a device that does not exist (struct agent). That reads the open
 * files of every process, which costs far more than the rest of an idle cycle. */
#define CLOSE_LOOK_EVERY 10

static bool is_close(const struct agent *agent)
{
    return agent->closely || agent->access == AGENT_RESTORES ||
           agent->looks % CLOSE_LOOK_EVERY == CLOSE_LOOK_EVERY - 1;
}

int cycle_run(struct agent *agent, int64_t now, struct cycle *cycle, struct error *err)
{
    host_free(agent->host);
    agent->host = NULL;
    for (;;) {
        size_t before = cycle->round_count;
        int rc = cycle_look(agent, now, is_close(agent), cycle, err);
        agent->closely = agent->wholly = false;
        if (cycle->round_count == before)
            return -1;
        cycle_forget_servers(agent, cycle);
        if (rc == 0)
            strlist_clear(&agent->consumers);
        bool again =
            cycle_act(agent, now, cycle, false) &&
            cycle->round_count < CYCLE_ROUNDS + cycle_count_not_cleared(cycle, NULL) &&
            !(agent->interrupted && agent->interrupted(agent->data));
        if (rc == 0 && !again) {
            cycle_end_unreserving(agent, cycle);
            cycle_delete_names(agent, cycle);
        }
        if (rc != 0 || !again)
            return rc;
    }
}

/* ---- one consumer ---- */

static bool all_done(const struct execution *execution)
{
    return !execution->look_again && execution->outcomes[STEP_DONE] == execution->count;
}

/* A consumer that the state file knows may have devices, also under another name
 * (agent/plan/world/migration.h): a whole look tells which. */
static bool is_new(const struct journal *journal, const char *consumer)
{
    for (size_t i = 0; i < journal->device_count; i++)
        if (strcmp(journal->devices[i].consumer, consumer) == 0 ||
            strcmp(journal->devices[i].migration, consumer) == 0)
            return false;
    return true;
}

/* No intention tells of it, so that it must be on disk before a guest can have it. */
static bool hands_over(const struct plan *plan)
{
    for (size_t i = 0; i < plan->step_count; i++)
        if (plan->steps[i].kind == STEP_HAND_OVER_DEVICE)
            return true;
    return false;
}

bool cycle_serve(struct agent *agent, int64_t now,
                 const struct consumer_allocations *have, struct cycle *cycle)
{
    if (!agent->host || agent->doubts_root || !is_new(agent->journal, have->consumer) ||
        !(cycle->observed = placement_fetch_add_consumer(agent->fetch, have)))
        return false;
    cycle->serves = true;
    cycle->config = agent->config;
    cycle->journal = agent->journal;
    cycle->drained = &agent->drained;
    cycle->choices = &agent->choices;
    cycle->host = steal(agent->host);
    device_worker_mark(agent->worker, cycle->host);
    cycle->desired = desired_tree_make_chosen(
        agent->config, cycle->host, &agent->choices, cycle->observed->root_uuid,
        cycle->observed->root_name);
    struct plan *plan = cycle_decide(agent, now, cycle);
    array_add(cycle->rounds, cycle->round_count)->plan = plan;
    if (plan->other_root || !plan_keep_consumer(plan, have->consumer))
        return false;
    bool again = cycle_act(agent, now, cycle, !hands_over(plan));
    return !again && all_done(cycle->rounds[0].execution);
}

/* ---- single changes ---- */

int cycle_prune(struct agent *agent, int64_t now, struct cycle *cycle,
                struct error *err)
{
    if (cycle_look(agent, now, true, cycle, err) != 0)
        return -1;
    plan_keep_only(cycle->rounds[cycle->round_count - 1].plan, STEP_DELETE_PROVIDER);
    (void)cycle_act(agent, now, cycle, false);
    cycle_delete_names(agent, cycle);
    return 0;
}

int cycle_orders(struct agent *agent, int64_t now, struct cycle *cycle,
                 struct error *err)
{
    for (agent->only_orders = true;;) {
        size_t before = cycle->round_count;
        int rc = cycle_look(agent, now, true, cycle, err);
        if (cycle->round_count == before)
            return -1;
        plan_keep_orders(cycle->rounds[cycle->round_count - 1].plan);
        bool again = cycle_act(agent, now, cycle, false) &&
                     cycle->round_count < CYCLE_ROUNDS && agent->orders.count;
        if (again)
            continue;
        cycle_settle_orders(agent, cycle, true);
        return rc;
    }
}

void cycle_clear(struct cycle *cycle)
{
    cycle_clear_sight(cycle);
    for (size_t i = 0; i < cycle->round_count; i++) {
        plan_free(cycle->rounds[i].plan);
        execution_free(cycle->rounds[i].execution);
    }
    free(cycle->rounds);
    strlist_clear(&cycle->late);
    *cycle = (struct cycle){0};
}

/* One that was removed in the kernel meanwhile is found gone by the next scan. The host
 * was looked at before the last round: what was removed earlier may be there anew. */
static void drop_removed(struct cycle *cycle)
{
    if (cycle->round_count == 0)
        return;
    const struct cycle_round *round = &cycle->rounds[cycle->round_count - 1];
    for (size_t i = 0; round->execution && i < round->execution->count; i++)
        if (round->plan->steps[i].kind == STEP_REMOVE_DEVICE &&
            round->execution->results[i].outcome == STEP_DONE)
            host_drop_device(cycle->host, round->plan->steps[i].device.address);
}

static void add_one(struct host *host, const struct parent *made,
                    const struct device *device)
{
    const struct parent *parent;
    if (host_device(host, device->address, NULL, NULL) ||
        !host_parent(host, made->name, &parent))
        return;
    struct device *added = parent_add_device((struct parent *)parent, device->address);
    uuid_text_copy(added->uuid, device->uuid);
    added->type_id = xstrdup(device->type_id);
    struct device_type *type =
        (struct device_type *)parent_type(parent, device->type_id);
    if (type && type->available > 0)
        type->available--;
}

static void add_all_made(struct cycle *cycle)
{
    const struct host *made = cycle->made;
    for (size_t i = 0; made && i < made->gpu_count; i++)
        for (size_t j = 0; j < made->gpus[i].parent_count; j++) {
            const struct parent *parent = &made->gpus[i].parents[j];
            for (size_t k = 0; k < parent->device_count; k++)
                add_one(cycle->host, parent, &parent->devices[k]);
        }
}

void cycle_end(struct agent *agent, struct cycle *cycle)
{
    if (cycle->host) {
        drop_removed(cycle);
        add_all_made(cycle);
        host_sort(cycle->host);
        host_free(agent->host);
        agent->host = steal(cycle->host);
    }
    cycle_clear(cycle);
}

const struct plan *cycle_plan(const struct cycle *cycle)
{
    return cycle->rounds[cycle->round_count - 1].plan;
}
