#include "agent/cycle.h"

#include <fcntl.h>
#include <string.h>

#include "agent/backend/mdev.h"
#include "agent/host/reader.h"
#include "agent/state/instance_lock.h"
#include "agent/state/journal_codec.h"
#include "agent/state/requests.h"
#include "agent/tree/fetch.h"
#include "lib/files.h"
#include "lib/xalloc.h"

#define PATIENCE 2000 /* milliseconds */
/* Rarely, since a half look makes a new allocation wait for the next; released devices
 * can wait. */
#define HALF_LOOK_EVERY 4
#define JOURNAL_MAX (64u << 20)

struct agent {
    const struct config *config; /* borrowed */
    enum agent_access access;
    int lock; /* -1 when it only looks */
    struct placement_client *client;
    unsigned long earlier_requests; /* of clients before this one */
    struct placement_fetch *fetch;
    struct journal *journal;
    bool journal_unsaved;
    struct host_reader *reader;
    struct device_worker *worker;
    struct strlist drained, prune; /* what the operator wants */
    unsigned patience;
    unsigned idle_looks; /* in a row, at Placement, that found nothing to do */
    bool (*interrupted)(void *data);
    void *data;
};

/* ---- the agent ---- */

/* The journal for those who change nothing: a damaged one stays where it is. */
static int look_at_journal(const char *path, struct journal **out, char **note,
                           struct error *err)
{
    _cleanup_free_ char *text = NULL;
    size_t length;
    if (file_read_at(AT_FDCWD, path, JOURNAL_MAX, &text, &length, err) != 0) {
        if (err->code != ERROR_NOT_FOUND)
            return -1;
        *out = journal_new();
        return 0;
    }
    if (journal_read(text, length, out, err) != 0) {
        *note =
            xasprintf("the state file %s is damaged (%s); no device is removed until "
                      "it is rebuilt",
                      path, err->text);
        *out = journal_new();
        (*out)->rebuilding = true;
    }
    return 0;
}

static int open_journal(struct agent *agent, const char *command, int64_t now,
                        char **note, struct error *err)
{
    const char *path = agent->config->agent.state_file;
    if (agent->access == AGENT_LOOKS)
        return look_at_journal(path, &agent->journal, note, err);
    if (instance_lock_take(path, command, &agent->lock, err) != 0)
        return err->code == ERROR_BUSY ? -1 : error_prefix(err, "agent.state_file");
    return journal_load(path, now, &agent->journal, note, err);
}

static int open_client(struct agent *agent, struct error *err)
{
    if (agent->access == AGENT_RESTORES)
        return 0;
    if (placement_client_new(&agent->config->placement, &agent->client, err) != 0)
        return -1;
    agent->fetch = placement_fetch_new(agent->client, agent->config);
    return 0;
}

int agent_new(const struct config *config, enum agent_access access,
              const char *command, int64_t now, struct agent **out, char **note,
              struct error *err)
{
    _cleanup_(agent_freep) struct agent *agent = xcalloc(1, sizeof *agent);
    agent->config = config;
    agent->access = access;
    agent->lock = -1;
    agent->patience = PATIENCE;
    if (open_client(agent, err) != 0 ||
        open_journal(agent, command, now, note, err) != 0 ||
        orders_read(config->agent.state_file, ORDER_DRAINED, &agent->drained, err) != 0)
        return -1;
    agent->reader = host_reader_new(config->agent.sysfs_root);
    host_reader_set_notes(agent->reader, config->agent.state_file,
                          access != AGENT_LOOKS);
    agent->worker = device_worker_new(&backend_mdev, config->agent.sysfs_root,
                                      config->agent.host_root);
    *out = steal(agent);
    return 0;
}

void agent_free(struct agent *agent)
{
    if (!agent)
        return;
    placement_fetch_free(agent->fetch);
    placement_client_free(agent->client);
    host_reader_free(agent->reader);
    device_worker_free(agent->worker);
    journal_free(agent->journal);
    strlist_clear(&agent->drained);
    strlist_clear(&agent->prune);
    cleanup_close(&agent->lock);
    free(agent);
}

int agent_reconfigure(struct agent *agent, const struct config *config,
                      struct error *err)
{
    const struct config *old = agent->config;
    if (strcmp(config->agent.state_file, old->agent.state_file) != 0 ||
        strcmp(config->agent.sysfs_root, old->agent.sysfs_root) != 0 ||
        strcmp(config->agent.host_root, old->agent.host_root) != 0)
        return error_set(err, ERROR_INVALID,
                         "another state_file, sysfs_root or host_root needs a restart");
    struct placement_client *client;
    if (placement_client_new(&config->placement, &client, err) != 0)
        return -1;
    agent->earlier_requests = agent_requests(agent);
    placement_fetch_free(agent->fetch);
    placement_client_free(agent->client);
    agent->client = client;
    placement_client_set_interrupt(client, agent->interrupted, agent->data);
    agent->fetch = placement_fetch_new(client, config);
    agent->config = config;
    return 0;
}

void agent_set_interrupt(struct agent *agent, bool (*interrupted)(void *data),
                         void *data)
{
    agent->interrupted = interrupted;
    agent->data = data;
    host_reader_set_interrupt(agent->reader, interrupted, data);
    if (agent->client)
        placement_client_set_interrupt(agent->client, interrupted, data);
}

void agent_set_patience(struct agent *agent, unsigned milliseconds)
{
    agent->patience = milliseconds;
}

void agent_set_prune(struct agent *agent, const struct strlist *providers)
{
    strlist_clear(&agent->prune);
    agent->prune = strlist_copy(providers);
}

unsigned long agent_requests(const struct agent *agent)
{
    return agent->earlier_requests + placement_client_requests(agent->client);
}

int64_t agent_token_expires_at(const struct agent *agent)
{
    return placement_client_token_expires_at(agent->client);
}

int agent_fd(const struct agent *agent)
{
    return device_worker_fd(agent->worker);
}

/* ---- one look ---- */

/* Forgets what was seen, but keeps the rounds. */
static void clear_sight(struct cycle *cycle)
{
    host_free(cycle->host);
    desired_tree_free(cycle->desired);
    device_use_free(cycle->use);
    cycle->host = NULL;
    cycle->desired = NULL;
    cycle->use = NULL;
    cycle->observed = NULL;
    strlist_clear(&cycle->notes);
}

static void look_who_uses(const struct agent *agent, struct cycle *cycle)
{
    _cleanup_free_ char *note = NULL;
    cycle->use = device_use_scan(agent->config->agent.host_root, cycle->host, &note);
    if (note)
        strlist_add_take(
            &cycle->notes,
            xasprintf("who uses which device is not known, so none is removed: %s",
                      note));
}

/* One request where nothing has changed: the tree, or else whether an allocation has
 * gone without a trace. */
static int fetch(struct agent *agent, bool whole, const struct observed **out,
                 struct error *err)
{
    *out = NULL;
    if (!whole && placement_fetch_allocations(agent->fetch, out, err) != 0)
        return -1;
    return *out ? 0 : placement_fetch_tree(agent->fetch, out, err);
}

/* Reads Placement and says what it should have. */
static int look_at_placement(struct agent *agent, bool whole, struct cycle *cycle,
                             struct error *err)
{
    const struct observed *observed;
    cycle->observed = NULL;
    if (fetch(agent, whole, &observed, err) != 0)
        return -1;
    desired_tree_free(cycle->desired);
    cycle->desired = desired_tree_make(agent->config, cycle->host, observed->root_uuid,
                                       observed->root_name);
    _cleanup_strlist_ struct strlist traits = desired_traits(cycle->desired);
    if (placement_fetch_traits(agent->fetch, &traits, err) != 0)
        return -1;
    cycle->observed = observed;
    return 0;
}

static struct plan *decide(struct agent *agent, int64_t now, struct cycle *cycle)
{
    struct plan_input input = {
        .config = agent->config,
        .host = cycle->host,
        .desired = cycle->observed ? cycle->desired : NULL,
        .observed = cycle->observed,
        .journal = agent->journal,
        .use = cycle->use,
        .drained = &agent->drained,
        .prune = &agent->prune,
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

static void take_late_results(struct agent *agent, struct cycle *cycle)
{
    struct device_done done;
    while (device_worker_take(agent->worker, 0, &done))
        late_result_add(&cycle->late, &done);
}

/* Where that fails, what was known before still stands. */
static void read_orders(struct agent *agent, struct cycle *cycle)
{
    struct error err;
    if (orders_read(agent->config->agent.state_file, ORDER_DRAINED, &agent->drained,
                    &err) != 0)
        strlist_add_take(
            &cycle->notes,
            xasprintf("which GPUs are drained cannot be read: %s", err.text));
    cycle->drained = &agent->drained;
}

/* Adds a round, not yet executed. Where only Placement could not be read, there is one
 * nevertheless, and -1. */
static int look(struct agent *agent, int64_t now, bool want_use, struct cycle *cycle,
                struct error *err)
{
    clear_sight(cycle);
    take_late_results(agent, cycle);
    read_orders(agent, cycle);
    if (host_reader_look(agent->reader, &cycle->host, err) != 0)
        return -1;
    device_worker_mark(agent->worker, cycle->host);
    bool whole =
        !agent->client || agent->idle_looks % HALF_LOOK_EVERY != HALF_LOOK_EVERY - 1;
    int rc = agent->client ? look_at_placement(agent, whole, cycle, err) : 0;
    if (want_use)
        look_who_uses(agent, cycle);
    struct plan *plan = decide(agent, now, cycle);
    /* Nothing is done on the word of a half look. */
    if (rc == 0 && !whole && plan->step_count) {
        plan_free(plan);
        rc = look_at_placement(agent, true, cycle, err);
        plan = decide(agent, now, cycle);
    }
    agent->idle_looks = rc == 0 && !plan->step_count ? agent->idle_looks + 1 : 0;
    array_add(cycle->rounds, cycle->round_count)->plan = plan;
    return rc;
}

int cycle_look(struct agent *agent, int64_t now, bool want_use, struct cycle *cycle,
               struct error *err)
{
    return look(agent, now, want_use, cycle, err);
}

/* ---- acting ---- */

static bool asked_placement(const struct step *step)
{
    return step->kind != STEP_CREATE_DEVICE && step->kind != STEP_REMOVE_DEVICE;
}

/* A request that failed may have been decided on something that never was so. */
static bool placement_failed(const struct cycle_round *round)
{
    for (size_t i = 0; i < round->execution->count; i++)
        if (round->execution->results[i].outcome == STEP_FAILED &&
            asked_placement(&round->plan->steps[i]))
            return true;
    return false;
}

static void forget_placement(struct agent *agent, struct cycle *cycle)
{
    placement_fetch_forget(agent->fetch);
    cycle->observed = NULL;
}

/* Carries out the last round. True when it asks for another. */
static bool act(struct agent *agent, struct cycle *cycle)
{
    struct cycle_round *round = &cycle->rounds[cycle->round_count - 1];
    struct executor executor = {
        .client = agent->client,
        .worker = agent->worker,
        .root_uuid = cycle->observed ? cycle->observed->root_uuid : NULL,
        .journal = agent->journal,
        .journal_path = agent->config->agent.state_file,
        .journal_unsaved = &agent->journal_unsaved,
        .late = &cycle->late,
        .patience = agent->patience,
        .interrupted = agent->interrupted,
        .data = agent->data,
    };
    round->execution = plan_execute(&executor, round->plan);
    if (placement_failed(round))
        forget_placement(agent, cycle);
    return round->execution->look_again;
}

int cycle_run(struct agent *agent, int64_t now, struct cycle *cycle, struct error *err)
{
    for (;;) {
        size_t before = cycle->round_count;
        int rc = look(agent, now, agent->access == AGENT_RESTORES, cycle, err);
        if (cycle->round_count == before)
            return -1;
        bool again = act(agent, cycle) && cycle->round_count < CYCLE_ROUNDS &&
                     !(agent->interrupted && agent->interrupted(agent->data));
        if (rc != 0 || !again)
            return rc;
    }
}

/* ---- what came of it ---- */

int cycle_prune(struct agent *agent, int64_t now, struct cycle *cycle,
                struct error *err)
{
    if (look(agent, now, true, cycle, err) != 0)
        return -1;
    plan_keep_only(cycle->rounds[cycle->round_count - 1].plan, STEP_DELETE_PROVIDER);
    (void)act(agent, cycle);
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

const struct plan *cycle_plan(const struct cycle *cycle)
{
    return cycle->rounds[cycle->round_count - 1].plan;
}
