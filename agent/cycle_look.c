#include "agent/cycle_parts.h"

#include <string.h>

#include "agent/plan/planner.h"
#include "agent/state/requests.h"
#include "agent/tree/seen.h"
#include "lib/xalloc.h"

/* One look in so many reads only a part of Placement (a half look). It is rare, since a
 * new allocation has to wait for the next whole look, while devices to remove can wait.
 * Where providers outside the agent's part change in every cycle, each look contains a
 * half look. */
#define HALF_LOOK_EVERY 4

/* Frees what the last look saw, but keeps the rounds. */
void cycle_clear_sight(struct cycle *cycle)
{
    host_free(cycle->host);
    host_free(cycle->made);
    desired_tree_free(cycle->desired);
    device_use_free(cycle->use);
    device_use_free(cycle->named);
    cycle->host = cycle->made = NULL;
    cycle->desired = NULL;
    cycle->use = cycle->named = NULL;
    cycle->observed = NULL;
    strlist_clear(&cycle->notes);
}

/* Sends one request where nothing has changed: for the whole tree, or (half look) for
 * the allocations of one provider, since their removal raises no generation. Where
 * something has changed, it sends both. */
static int fetch(struct agent *agent, bool whole, int64_t now,
                 const struct observed **out, struct error *err)
{
    const struct observed *same;
    *out = NULL;
    if (!whole && placement_fetch_one(agent->fetch, out, err) != 0)
        return -1;
    if (*out)
        return 0;
    if (placement_fetch_tree(agent->fetch, now, out, err) != 0)
        return -1;
    if (!whole || !placement_fetch_moved(agent->fetch))
        return 0;
    if (placement_fetch_one(agent->fetch, &same, err) != 0)
        return -1;
    return same ? 0 : placement_fetch_tree(agent->fetch, now, out, err);
}

/* Finds out whether the root provider has GPU inventories of its own. */
static int fetch_root(struct agent *agent, struct error *err)
{
    _cleanup_strlist_ struct strlist classes = {0};
    strlist_add(&classes, "VGPU");
    for (size_t i = 0; i < agent->config->type_count; i++)
        strlist_add_unique(&classes, agent->config->types[i].mdev_class);
    return placement_fetch_root(agent->fetch, &classes, err);
}

/* With drain_reserve = unused, the reserved value of a drained GPU depends on its
 * allocations. */
static bool counts_departures(const struct agent *agent, const struct cycle *cycle,
                              const struct observed *observed,
                              const struct observed_provider *provider)
{
    const struct config *config = agent->config;
    const struct desired_tree *desired = cycle->desired;
    if (config->agent.mode != MODE_OWNER || config->agent.drain_reserve != DRAIN_UNUSED)
        return false;
    for (size_t i = 0; i < desired->provider_count; i++)
        if (strlist_contains(&agent->drained, desired->providers[i].gpu_name) &&
            desired_observe(observed, &desired->providers[i]) == provider)
            return true;
    return false;
}

static bool concerns_one_of(const struct observed_provider *provider,
                            const struct strlist *consumers)
{
    for (size_t i = 0; i < provider->allocation_count; i++)
        if (strlist_contains(consumers, provider->allocations[i].consumer))
            return true;
    return false;
}

/* Providers whose departed allocations are to be seen in this cycle: those of drained
 * GPUs in every cycle, those of consumers that were asked for, and all of them where
 * somebody waits for the cycle, who may have deleted one. All are also those that the
 * files do not want any more: their devices go with their last allocation. */
static int fetch_departures(struct agent *agent, const struct cycle *cycle,
                            const struct observed *observed, struct error *err)
{
    bool first = cycle->round_count == 0;
    bool all = agent->closely && first;
    _cleanup_strlist_ struct strlist uuids = {0};
    for (size_t i = 0; i < observed->provider_count; i++) {
        const struct observed_provider *provider = &observed->providers[i];
        if (provider->detailed &&
            (all || counts_departures(agent, cycle, observed, provider) ||
             (first && concerns_one_of(provider, &agent->consumers))))
            strlist_add(&uuids, provider->provider.uuid);
    }
    return placement_fetch_departures(agent->fetch, &uuids, err);
}

/* True when a provider of the agent's, which somebody has renamed, was not read. */
static bool expect_ours(struct agent *agent, const struct desired_tree *desired)
{
    _cleanup_strlist_ struct strlist uuids = {0};
    for (size_t i = 0; i < desired->provider_count; i++)
        strlist_add(&uuids, desired->providers[i].uuid);
    /* Those that nothing is configured for any more. */
    for (size_t i = 0; i < agent->journal->provider_count; i++)
        strlist_add_unique(&uuids, agent->journal->providers[i].uuid);
    return placement_fetch_expect(agent->fetch, &uuids);
}

/* Reads Placement and computes the desired tree. */
static int read_placement(struct agent *agent, bool whole, int64_t now,
                          struct cycle *cycle, struct error *err)
{
    const struct observed *observed;
    cycle->observed = NULL;
    /* The root is looked up by name again: DNS may give the right name by now. */
    if (agent->doubts_root)
        placement_fetch_forget(agent->fetch);
    if (fetch(agent, whole, now, &observed, err) != 0)
        return -1;
    desired_tree_free(cycle->desired);
    cycle->desired =
        desired_tree_make_chosen(agent->config, cycle->host, &agent->choices,
                                 observed->root_uuid, observed->root_name);
    if (expect_ours(agent, cycle->desired) &&
        placement_fetch_tree(agent->fetch, now, &observed, err) != 0)
        return -1;
    _cleanup_strlist_ struct strlist traits = desired_traits(cycle->desired);
    if (placement_fetch_traits(agent->fetch, &traits, err) != 0 ||
        fetch_root(agent, err) != 0 ||
        fetch_departures(agent, cycle, observed, err) != 0)
        return -1;
    cycle->observed = observed;
    return 0;
}

/* After a failed request another database may answer, in which equal generations need
 * not mean equal contents. So a part is compared soon: the next look is whole, and the
 * one after it half. */
static int look_at_placement(struct agent *agent, bool whole, int64_t now,
                             struct cycle *cycle, struct error *err)
{
    if (!agent->client && agent->access == AGENT_RESTORES)
        return 0;
    if (!agent->client)
        return error_set(err, agent->no_client.code, "%s", agent->no_client.text);
    int rc = read_placement(agent, whole, now, cycle, err);
    if (placement_fetch_take_news(agent->fetch))
        agent->journal_unsaved = true;
    if (rc == 0)
        return 0;
    placement_fetch_doubt(agent->fetch);
    agent->half_look_in = 2;
    return -1;
}

/* Whether this is a whole look. Half looks happen only now and then, and never in a
 * later round of a cycle, since the round before found something to do. */
static bool is_whole(struct agent *agent, const struct cycle *cycle)
{
    if (!agent->client || cycle->round_count > 0 || agent->wholly)
        return true;
    agent->looks++;
    if (agent->half_look_in == 0)
        agent->half_look_in = HALF_LOOK_EVERY;
    return --agent->half_look_in > 0;
}

/* The time until which no device is removed for lack of an allocation, after
 * Placement's database was replaced by an older or an empty one; 0: no such limit. An
 * operator has this long to put back the lost allocations (`nova-manage placement
 * heal_allocations`). */
static int64_t keep_until(const struct agent *agent, int64_t now, struct cycle *cycle)
{
    int64_t replaced = agent->fetch ? agent->journal->replaced_at : 0;
    if (!replaced || now >= replaced + KEEP_AFTER_REPLACEMENT)
        return 0;
    strlist_add(&cycle->notes,
                "Placement shows less than it has shown before: its database was "
                "restored or made anew. Devices that it has no allocation for any more "
                "are kept for an hour; `nova-manage placement heal_allocations` puts "
                "lost allocations back");
    return replaced + KEEP_AFTER_REPLACEMENT;
}

/* ---- devices that could not be cleared for their next consumer ---- */

static bool was_not_cleared(const struct cycle_round *round, size_t step)
{
    return round->execution && round->plan->steps[step].kind == STEP_HAND_OVER_DEVICE &&
           round->execution->results[step].outcome == STEP_FAILED;
}

size_t cycle_count_not_cleared(const struct cycle *cycle, const char *address)
{
    size_t count = 0;
    for (size_t i = 0; i < cycle->round_count; i++)
        for (size_t j = 0; j < cycle->rounds[i].plan->step_count; j++)
            count += was_not_cleared(&cycle->rounds[i], j) &&
                     (!address || strcmp(cycle->rounds[i].plan->steps[j].device.address,
                                         address) == 0);
    return count;
}

/* The devices that could not be cleared more than once. One failure is not enough: a
 * driver can be busy, a child process can be killed. The next cycle tries these devices
 * again. The list borrows from the rounds. */
static size_t find_refused(const struct cycle *cycle, struct refused_device **out)
{
    size_t count = 0;
    *out = NULL;
    for (size_t i = 0; i < cycle->round_count; i++) {
        const struct cycle_round *round = &cycle->rounds[i];
        for (size_t j = 0; j < round->plan->step_count; j++) {
            const char *address = round->plan->steps[j].device.address;
            if (was_not_cleared(round, j) &&
                cycle_count_not_cleared(cycle, address) > 1)
                *array_add(*out, count) = (struct refused_device){
                    address, round->execution->results[j].reason};
        }
    }
    return count;
}

/* ---- deciding ---- */

struct plan *cycle_decide(struct agent *agent, int64_t now, struct cycle *cycle)
{
    _cleanup_free_ struct refused_device *refused = NULL;
    size_t refused_count = find_refused(cycle, &refused);
    cycle_look_who_names(agent, cycle);
    struct plan_input input = {
        .config = agent->config,
        .host = cycle->host,
        .desired = cycle->observed ? cycle->desired : NULL,
        .observed = cycle->observed,
        .journal = agent->journal,
        .use = cycle->serves ? cycle->named : cycle->use,
        .named = cycle->named,
        .drained = &agent->drained,
        .unreserved = &agent->unreserved,
        .servers = &agent->servers,
        .refused = refused,
        .refused_count = refused_count,
        .prune = &agent->prune,
        .orders = &agent->orders,
        .keep_until = keep_until(agent, now, cycle),
        .now = now,
    };
    cycle->may_lack = now < input.keep_until || agent->journal->rebuilding ||
                      (cycle->observed && !cycle->observed->root_found);
    struct plan *plan = plan_make(&input);
    if (!plan->needs_use || cycle->serves)
        return plan;
    plan_free(plan);
    cycle_look_who_uses(agent, cycle);
    input.use = cycle->use;
    return plan_make(&input);
}

/* Whether an operator has requested that the state file adopt the root provider that
 * was read. */
static bool is_adopted(const struct agent *agent, const struct cycle *cycle)
{
    _cleanup_strlist_ struct strlist roots = {0};
    return requests_read(agent->config->agent.state_file, REQUEST_ADOPT_ROOT, &roots,
                         NULL) == 0 &&
           strlist_contains(&roots, cycle->observed->root_uuid);
}

static struct plan *decide_on_root(struct agent *agent, int64_t now,
                                   struct cycle *cycle)
{
    struct plan *plan = cycle_decide(agent, now, cycle);
    if (plan->other_root && is_adopted(agent, cycle)) {
        plan_free(plan);
        if (journal_put_root(agent->journal, cycle->observed->root_uuid,
                             cycle->observed->root_name))
            agent->journal_unsaved = true;
        agent->adopts_root = true;
        plan = cycle_decide(agent, now, cycle);
    }
    agent->doubts_root = plan->other_root;
    return plan;
}

static void take_late_results(struct agent *agent, struct cycle *cycle)
{
    struct device_done done;
    while (device_worker_take(agent->worker, 0, &done))
        if (late_result_note(&cycle->late, agent->journal, &done))
            agent->journal_unsaved = true;
}

/* Adds a round that is not executed yet. -1 on error; where only Placement could not be
 * read, the round is added nevertheless, and can put back devices from the journal. */
int cycle_look(struct agent *agent, int64_t now, bool want_use, struct cycle *cycle,
               struct error *err)
{
    cycle_clear_sight(cycle);
    cycle->config = agent->config;
    take_late_results(agent, cycle);
    cycle_read_requests(agent, cycle);
    if (cycle_look_at_host(agent, cycle, err) != 0)
        return -1;
    if (agent->access == AGENT_ACTS)
        cycle_spell_choices(agent, cycle);
    bool whole = is_whole(agent, cycle);
    int rc = look_at_placement(agent, whole, now, cycle, err);
    if (want_use || cycle_must_look_for_holders(agent, cycle))
        cycle_look_who_uses(agent, cycle);
    struct plan *plan = decide_on_root(agent, now, cycle);
    /* No step is taken on the basis of a half look. */
    if (rc == 0 && !whole && plan->step_count) {
        plan_free(plan);
        rc = look_at_placement(agent, true, now, cycle, err);
        plan = decide_on_root(agent, now, cycle);
        whole = true;
    }
    cycle->whole = whole;
    array_add(cycle->rounds, cycle->round_count)->plan = plan;
    return rc;
}
