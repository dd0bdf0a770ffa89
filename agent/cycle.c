#include "agent/cycle.h"

#include <string.h>

#include "agent/act/made_names.h"
#include "agent/backend/backend.h"
#include "agent/cycle_orders.h"
#include "agent/state/known_types.h"
#include "agent/state/requests.h"
#include "lib/xalloc.h"

/* One look in so many reads only a part of Placement (a half look). It is rare, since a
 * new allocation has to wait for the next whole look, while devices to remove can wait.
 * Where providers outside the agent's part change in every cycle, each look contains a
 * half look. */
#define HALF_LOOK_EVERY 4
/* Every so many looks the agent also reads who uses the devices. It reports a domain
 * that names the device of another consumer, or a process that has such a device open:
 * neither changes Placement or sysfs, and no plan needs to know. That reads the
 * definition of every domain and the open files of every process, which costs far more
 * than the rest of an idle cycle. */
#define CLOSE_LOOK_EVERY 10
#define KEEP_AFTER_REPLACEMENT 3600 /* seconds */

/* ---- observing ---- */

/* Frees what the last look saw, but keeps the rounds. */
static void clear_sight(struct cycle *cycle)
{
    host_free(cycle->host);
    host_free(cycle->made);
    desired_tree_free(cycle->desired);
    device_use_free(cycle->use);
    cycle->host = cycle->made = NULL;
    cycle->desired = NULL;
    cycle->use = NULL;
    cycle->observed = NULL;
    strlist_clear(&cycle->notes);
}

static void look_who_uses(const struct agent *agent, struct cycle *cycle)
{
    struct use_places places = use_places_of(agent->config);
    places.before_libvirt = agent->access == AGENT_RESTORES;
    places.view = agent->view;
    _cleanup_free_ char *note = NULL;
    cycle->use = device_use_scan(&places, cycle->host, &note);
    if (note && agent->access != AGENT_RESTORES)
        strlist_add_take(
            &cycle->notes,
            xasprintf("who uses which device is not known, so none is removed: %s",
                      note));
    /* In owner mode the state file says which devices guests wait for. */
    else if (note && cycle->use->domains_unknown &&
             agent->config->agent.mode != MODE_OWNER)
        strlist_add_take(
            &cycle->notes,
            xasprintf("which devices guests wait for is not known: %s", note));
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
static bool counts_departures(const struct agent *agent,
                              const struct desired_provider *desired)
{
    const struct config *config = agent->config;
    return config->agent.mode == MODE_OWNER &&
           config->agent.drain_reserve == DRAIN_UNUSED &&
           strlist_contains(&agent->drained, desired->gpu_name);
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
 * somebody waits for the cycle, who may have deleted one. */
static int fetch_departures(struct agent *agent, const struct cycle *cycle,
                            const struct observed *observed, struct error *err)
{
    const struct desired_tree *desired = cycle->desired;
    bool first = cycle->round_count == 0;
    bool all = agent->closely && first;
    _cleanup_strlist_ struct strlist uuids = {0};
    for (size_t i = 0; i < desired->provider_count; i++) {
        const struct observed_provider *provider =
            observed_by_name(observed, desired->providers[i].name);
        if (provider && (all || counts_departures(agent, &desired->providers[i]) ||
                         (first && concerns_one_of(provider, &agent->consumers))))
            strlist_add(&uuids, provider->provider.uuid);
    }
    return placement_fetch_departures(agent->fetch, &uuids, err);
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
    _cleanup_strlist_ struct strlist traits = desired_traits(cycle->desired);
    if (placement_fetch_traits(agent->fetch, &traits, err) != 0 ||
        fetch_root(agent, err) != 0 ||
        fetch_departures(agent, cycle, observed, err) != 0)
        return -1;
    cycle->observed = observed;
    return 0;
}

/* After a failed request another database may answer, in which equal generations need
 * not mean equal contents. So everything that was read is dropped. */
static int look_at_placement(struct agent *agent, bool whole, int64_t now,
                             struct cycle *cycle, struct error *err)
{
    if (!agent->client && agent->access == AGENT_RESTORES)
        return 0;
    if (!agent->client)
        return error_set(err, agent->no_client.code, "%s", agent->no_client.text);
    if (read_placement(agent, whole, now, cycle, err) == 0)
        return 0;
    placement_fetch_forget(agent->fetch);
    return -1;
}

/* Whether this is a whole look. Half looks happen only now and then, and never in a
 * later round of a cycle, since the round before found something to do. */
static bool is_whole(struct agent *agent, const struct cycle *cycle)
{
    return !agent->client || cycle->round_count > 0 || agent->wholly ||
           agent->looks++ % HALF_LOOK_EVERY != HALF_LOOK_EVERY - 1;
}

/* The time until which no device is removed for lack of an allocation, after
 * Placement's database was replaced by an older or an empty one; 0: no such limit. An
 * operator has this long to put back the lost allocations (`nova-manage placement
 * heal_allocations`). */
static int64_t keep_until(const struct agent *agent, int64_t now, struct cycle *cycle)
{
    int64_t replaced = agent->fetch ? placement_fetch_replaced_at(agent->fetch) : 0;
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

/* How many times a device could not be cleared for its next consumer in this cycle: the
 * device at `address`, or any device where `address` is NULL. */
static size_t count_not_cleared(const struct cycle *cycle, const char *address)
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
            if (was_not_cleared(round, j) && count_not_cleared(cycle, address) > 1)
                *array_add(*out, count) = (struct refused_device){
                    address, round->execution->results[j].reason};
        }
    }
    return count;
}

/* ---- deciding ---- */

static struct plan *decide(struct agent *agent, int64_t now, struct cycle *cycle)
{
    _cleanup_free_ struct refused_device *refused = NULL;
    size_t refused_count = find_refused(cycle, &refused);
    struct plan_input input = {
        .config = agent->config,
        .host = cycle->host,
        .desired = cycle->observed ? cycle->desired : NULL,
        .observed = cycle->observed,
        .journal = agent->journal,
        .use = cycle->use,
        .drained = &agent->drained,
        .servers = &agent->servers,
        .refused = refused,
        .refused_count = refused_count,
        .prune = &agent->prune,
        .orders = &agent->orders,
        .keep_until = keep_until(agent, now, cycle),
        .now = now,
    };
    struct plan *plan = plan_make(&input);
    if (!plan->needs_use)
        return plan;
    plan_free(plan);
    look_who_uses(agent, cycle);
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
    struct plan *plan = decide(agent, now, cycle);
    if (plan->other_root && is_adopted(agent, cycle)) {
        plan_free(plan);
        if (journal_put_root(agent->journal, cycle->observed->root_uuid,
                             cycle->observed->root_name))
            agent->journal_unsaved = true;
        agent->adopts_root = true;
        plan = decide(agent, now, cycle);
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

static void read_request(const struct agent *agent, struct cycle *cycle,
                         enum request request, struct strlist *list, const char *what)
{
    struct error err;
    if (requests_read(agent->config->agent.state_file, request, list, &err) != 0)
        strlist_add_take(&cycle->notes, xasprintf("%s: %s", what, err.text));
}

/* Where a list of requests cannot be read, that of the cycle before stays in force. */
static void read_requests(struct agent *agent, struct cycle *cycle)
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

/* With the types that earlier looks saw, and with virtual functions where they can be
 * had by now. */
static int look_at_host(struct agent *agent, struct cycle *cycle, struct error *err)
{
    bool restores = agent->access == AGENT_RESTORES;
    if (host_reader_look(agent->reader, &cycle->host, err) != 0)
        return -1;
    if (agent->access != AGENT_LOOKS &&
        enabler_care(agent->enabler, agent->config, agent->journal, cycle->host,
                     restores, agent->interrupted, agent->data)) {
        host_free(cycle->host);
        cycle->host = NULL;
        if (host_reader_look(agent->reader, &cycle->host, err) != 0)
            return -1;
    }
    enabler_report(agent->enabler, &cycle->notes);
    device_worker_mark(agent->worker, cycle->host);
    if (known_types_note(agent->journal, cycle->host))
        agent->journal_unsaved = true;
    known_types_put(agent->journal, cycle->host);
    return 0;
}

/* Adds a round that is not executed yet. -1 on error; where only Placement could not be
 * read, the round is added nevertheless, and can put back devices from the journal. */
int cycle_look(struct agent *agent, int64_t now, bool want_use, struct cycle *cycle,
               struct error *err)
{
    clear_sight(cycle);
    cycle->config = agent->config;
    take_late_results(agent, cycle);
    read_requests(agent, cycle);
    if (agent->access == AGENT_LOOKS && agent_reread_journal(agent, err) != 0)
        return -1;
    cycle->journal = agent->journal;
    if (look_at_host(agent, cycle, err) != 0)
        return -1;
    bool whole = is_whole(agent, cycle);
    int rc = look_at_placement(agent, whole, now, cycle, err);
    if (want_use)
        look_who_uses(agent, cycle);
    struct plan *plan = decide_on_root(agent, now, cycle);
    /* No step is taken on the basis of a half look. */
    if (rc == 0 && !whole && plan->step_count) {
        plan_free(plan);
        rc = look_at_placement(agent, true, now, cycle, err);
        plan = decide_on_root(agent, now, cycle);
    }
    array_add(cycle->rounds, cycle->round_count)->plan = plan;
    return rc;
}

/* ---- acting ---- */

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

/* Withdraws the request to adopt a root once the state file names that root. */
static void end_adoption(struct agent *agent, struct cycle *cycle)
{
    struct error err;
    if (!agent->adopts_root || agent->journal_unsaved)
        return;
    agent->adopts_root = false;
    if (requests_withdraw_all(agent->config->agent.state_file, REQUEST_ADOPT_ROOT,
                              &err) != 0)
        strlist_add(&cycle->notes, err.text);
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

/* Executes the last round. True when another round is needed. */
static bool act(struct agent *agent, int64_t now, struct cycle *cycle, bool saves_later)
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
    note_made(agent, cycle, round);
    rewrites_report(&agent->rewrites, now, &cycle->notes);
    if (placement_failed(round))
        forget_placement(agent, cycle);
    end_adoption(agent, cycle);
    cycle_settle_orders(agent, cycle, false);
    return round->execution->look_again || made_of_parts(round) ||
           (round->plan->goes_on && changed_device(round));
}

/* Withdraws REQUEST_SERVER of consumers that no longer exist. */
static void forget_servers(struct agent *agent, struct cycle *cycle)
{
    struct error err;
    for (size_t i = 0; cycle->observed && i < agent->servers.count; i++)
        if (!observed_has_consumer(cycle->observed, agent->servers.items[i]) &&
            requests_withdraw(agent->config->agent.state_file, REQUEST_SERVER,
                              agent->servers.items[i], NULL, &err) != 0)
            strlist_add(&cycle->notes, err.text);
}

/* Notes which GPUs an operator has cleaned, before anything is decided. */
static void take_cleanings(struct agent *agent, struct cycle *cycle)
{
    const char *state_file = agent->config->agent.state_file;
    _cleanup_strlist_ struct strlist gpus = {0};
    struct error err;
    bool changed = false;
    int rc = requests_read(state_file, REQUEST_CLEAN, &gpus, &err);
    for (size_t i = 0; i < gpus.count; i++)
        changed |= journal_clean(agent->journal, gpus.items[i]);
    if (rc == 0 && changed)
        rc = journal_save(agent->journal, state_file, &err);
    for (size_t i = 0; rc == 0 && i < gpus.count; i++)
        rc = requests_withdraw(state_file, REQUEST_CLEAN, gpus.items[i], NULL, &err);
    if (rc != 0)
        strlist_add_take(
            &cycle->notes,
            xasprintf("which GPUs were cleaned cannot be read: %s", err.text));
}

static bool is_close(const struct agent *agent)
{
    return agent->closely || agent->access == AGENT_RESTORES ||
           agent->looks % CLOSE_LOOK_EVERY == CLOSE_LOOK_EVERY - 1;
}

/* What `vgpu-agent prune` asks for beside providers. */
static void delete_names(struct agent *agent, struct cycle *cycle)
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

int cycle_run(struct agent *agent, int64_t now, struct cycle *cycle, struct error *err)
{
    host_free(agent->host);
    agent->host = NULL;
    if (agent->access == AGENT_ACTS)
        take_cleanings(agent, cycle);
    for (;;) {
        size_t before = cycle->round_count;
        int rc = cycle_look(agent, now, is_close(agent), cycle, err);
        agent->closely = agent->wholly = false;
        if (cycle->round_count == before)
            return -1;
        forget_servers(agent, cycle);
        if (rc == 0)
            strlist_clear(&agent->consumers);
        bool again =
            act(agent, now, cycle, false) &&
            cycle->round_count < CYCLE_ROUNDS + count_not_cleared(cycle, NULL) &&
            !(agent->interrupted && agent->interrupted(agent->data));
        if (rc == 0 && !again)
            delete_names(agent, cycle);
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
 * (agent/plan/migration.h): a whole look tells which. */
static bool is_new(const struct journal *journal, const char *consumer)
{
    for (size_t i = 0; i < journal->device_count; i++)
        if (strcmp(journal->devices[i].consumer, consumer) == 0 ||
            strcmp(journal->devices[i].migration, consumer) == 0)
            return false;
    return true;
}

bool cycle_serve(struct agent *agent, int64_t now,
                 const struct consumer_allocations *have, struct cycle *cycle)
{
    if (!agent->host || agent->doubts_root || !is_new(agent->journal, have->consumer) ||
        !(cycle->observed = placement_fetch_add_consumer(agent->fetch, have)))
        return false;
    cycle->config = agent->config;
    cycle->journal = agent->journal;
    cycle->drained = &agent->drained;
    cycle->host = steal(agent->host);
    device_worker_mark(agent->worker, cycle->host);
    cycle->desired =
        desired_tree_make(agent->config, cycle->host, cycle->observed->root_uuid,
                          cycle->observed->root_name);
    struct plan *plan = decide(agent, now, cycle);
    array_add(cycle->rounds, cycle->round_count)->plan = plan;
    if (plan->other_root || !plan_keep_consumer(plan, have->consumer))
        return false;
    bool again = act(agent, now, cycle, true);
    return !again && all_done(cycle->rounds[0].execution);
}

/* ---- single changes ---- */

int cycle_prune(struct agent *agent, int64_t now, struct cycle *cycle,
                struct error *err)
{
    if (cycle_look(agent, now, true, cycle, err) != 0)
        return -1;
    plan_keep_only(cycle->rounds[cycle->round_count - 1].plan, STEP_DELETE_PROVIDER);
    (void)act(agent, now, cycle, false);
    delete_names(agent, cycle);
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
        bool again = act(agent, now, cycle, false) &&
                     cycle->round_count < CYCLE_ROUNDS && agent->orders.count;
        if (again)
            continue;
        cycle_settle_orders(agent, cycle, true);
        return rc;
    }
}

static int unreserve(struct placement_client *client,
                     const struct observed_provider *provider,
                     const char *resource_class, struct error *err)
{
    int64_t generation = provider->provider.generation;
    struct class_inventory *items = xcalloc(provider->inventory_count, sizeof *items);
    for (size_t i = 0; i < provider->inventory_count; i++) {
        items[i] = provider->inventories[i]; /* the strings are borrowed */
        if (strcmp(items[i].resource_class, resource_class) == 0)
            items[i].inventory.reserved = 0;
    }
    int rc = placement_put_inventories(client, provider->provider.uuid, items,
                                       provider->inventory_count, &generation, err);
    free(items);
    return rc;
}

int cycle_unreserve(struct agent *agent, const struct cycle *cycle, const char *gpu,
                    struct error *err)
{
    const struct desired_tree *desired = cycle->desired;
    for (size_t i = 0; i < desired->provider_count; i++) {
        const struct desired_provider *wanted = &desired->providers[i];
        const struct observed_provider *provider =
            observed_by_name(cycle->observed, wanted->name);
        if (strcmp(wanted->gpu_name, gpu) == 0 && provider && wanted->resource_class &&
            unreserve(agent->client, provider, wanted->resource_class, err) != 0)
            return -1;
    }
    return 0;
}

void cycle_clear(struct cycle *cycle)
{
    clear_sight(cycle);
    for (size_t i = 0; i < cycle->round_count; i++) {
        plan_free(cycle->rounds[i].plan);
        execution_free(cycle->rounds[i].execution);
    }
    free(cycle->rounds);
    strlist_clear(&cycle->late);
    *cycle = (struct cycle){0};
}

/* One that was removed in the kernel meanwhile is found gone by the next scan. */
static void drop_removed(struct cycle *cycle)
{
    for (size_t i = 0; i < cycle->round_count; i++) {
        const struct cycle_round *round = &cycle->rounds[i];
        for (size_t j = 0; round->execution && j < round->execution->count; j++)
            if (round->plan->steps[j].kind == STEP_REMOVE_DEVICE &&
                round->execution->results[j].outcome == STEP_DONE)
                host_drop_device(cycle->host, round->plan->steps[j].device.address);
    }
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
