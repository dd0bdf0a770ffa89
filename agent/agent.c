#include "agent/agent.h"

#include <string.h>

#include "agent/state/attach_left.h"
#include "agent/state/boot_clock.h"
#include "agent/state/instance_lock.h"
#include "agent/state/machine_id.h"
#include "agent/state/requests.h"
#include "lib/clock.h"
#include "lib/xalloc.h"

#define PATIENCE 2000 /* milliseconds */

static int look_at_journal(const struct agent *agent, struct journal **out, char **note,
                           struct error *err)
{
    char machine[UUID_TEXT_SIZE];
    machine_id_read(agent->config->agent.host_root, machine);
    return journal_look(agent->config->agent.state_file, machine, out, note, err);
}

static int open_journal(struct agent *agent, const char *command, int64_t now,
                        char **note, struct error *err)
{
    const char *path = agent->config->agent.state_file;
    char machine[UUID_TEXT_SIZE];
    if (agent->access == AGENT_LOOKS)
        return look_at_journal(agent, &agent->journal, note, err);
    machine_id_read(agent->config->agent.host_root, machine);
    if (instance_lock_take(path, command, &agent->lock, err) != 0)
        return err->code == ERROR_BUSY ? -1 : error_prefix(err, "agent.state_file");
    return journal_load(path, machine, now, &agent->journal, note, err);
}

static int open_client(struct agent *agent, struct error *err)
{
    if (agent->access == AGENT_RESTORES)
        return 0;
    struct error *why = agent->access == AGENT_LOOKS ? &agent->no_client : err;
    if (placement_client_new(&agent->config->placement, &agent->client, why) != 0)
        return agent->access == AGENT_LOOKS ? 0 : -1;
    return 0;
}

static int read_requests(struct agent *agent, struct error *err)
{
    _cleanup_requests_ struct requests requests;
    if (requests_read_all(agent->config->agent.state_file, &requests, err) != 0)
        return -1;
    agent->drained = requests_take(&requests, REQUEST_DRAINED);
    agent->choices.enabled = requests_take(&requests, REQUEST_ENABLED);
    agent->choices.disabled = requests_take(&requests, REQUEST_DISABLED);
    return 0;
}

/* Where nobody gives devices to guests, an earlier daemon may have left a call that
 * does. */
static void hold_what_was_left(void *data, const struct strlist *addresses,
                               struct strlist *held)
{
    const struct agent *agent = data;
    strlist_clear(held);
    if (attach_left_until(agent->config->agent.state_file, clock_boot_seconds()))
        *held = strlist_copy(addresses);
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
    agent->places_held = true;
    if (open_client(agent, err) != 0 ||
        open_journal(agent, command, now, note, err) != 0 ||
        read_requests(agent, err) != 0)
        return -1;
    if (agent->client)
        agent->fetch = placement_fetch_new(agent->client, config, agent->journal);
    const struct boot_time time = boot_time_now();
    agent->journal_unsaved = boot_clock_follow(agent->journal, &time);
    agent->reader = host_reader_new(config->agent.sysfs_root);
    host_reader_set_config(agent->reader, config);
    host_reader_set_notes(agent->reader, config->agent.state_file,
                          access != AGENT_LOOKS);
    struct device_place place = {config->agent.sysfs_root, use_places_of(config)};
    place.use.before_libvirt = access == AGENT_RESTORES;
    place.use.files = &agent->domain_files;
    agent->worker = device_worker_new(&place);
    agent->enabler = enabler_new();
    agent_set_attacher(agent, hold_what_was_left, agent);
    *out = steal(agent);
    return 0;
}

int64_t agent_now(const struct agent *agent)
{
    return boot_clock_time(agent->journal, boot_time_now().uptime);
}

void agent_free(struct agent *agent)
{
    if (!agent)
        return;
    placement_fetch_free(agent->fetch);
    placement_client_free(agent->client);
    host_reader_free(agent->reader);
    device_worker_free(agent->worker);
    enabler_free(agent->enabler);
    host_free(agent->host);
    journal_free(agent->journal);
    rewrites_clear(&agent->rewrites);
    strlist_clear(&agent->drained);
    type_choices_clear(&agent->choices);
    strlist_clear(&agent->prune);
    strlist_clear(&agent->unreserved);
    strlist_clear(&agent->servers);
    order_list_clear(&agent->orders);
    strlist_clear(&agent->consumers);
    domain_files_clear(&agent->domain_files);
    cleanup_close(&agent->lock);
    free(agent);
}

static bool same(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

static bool same_places(const struct config *a, const struct config *b)
{
    const struct use_places x = use_places_of(a), y = use_places_of(b);
    return same(a->agent.state_file, b->agent.state_file) &&
           same(a->agent.sysfs_root, b->agent.sysfs_root) && same(x.root, y.root) &&
           same(x.defined, y.defined) && same(x.running, y.running);
}

int agent_reconfigure(struct agent *agent, const struct config *config,
                      struct error *err)
{
    if (!same_places(config, agent->config))
        return error_set(err, ERROR_INVALID,
                         "another state_file, sysfs_root, host_root or folder of "
                         "libvirt's needs a restart");
    struct placement_client *client;
    if (placement_client_new(&config->placement, &client, err) != 0)
        return -1;
    agent->earlier_requests = agent_requests(agent);
    placement_fetch_free(agent->fetch);
    placement_client_free(agent->client);
    agent->client = client;
    placement_client_set_interrupt(client, agent->interrupted, agent->data);
    agent->fetch = placement_fetch_new(client, config, agent->journal);
    agent->config = config;
    host_reader_set_config(agent->reader, config);
    host_free(agent->host);
    agent->host = NULL;
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

void agent_set_view(struct agent *agent, const struct domains *view)
{
    agent->view = view;
    device_worker_set_view(agent->worker, view);
}

void agent_set_attacher(struct agent *agent,
                        void (*take_back)(void *attacher,
                                          const struct strlist *addresses,
                                          struct strlist *held),
                        void *attacher)
{
    agent->take_back = take_back;
    agent->attacher = attacher;
}

void agent_set_prune(struct agent *agent, const struct strlist *providers)
{
    strlist_clear(&agent->prune);
    agent->prune = strlist_copy(providers);
}

void agent_heed_prune(struct agent *agent)
{
    agent->heeds_prune = true;
}

const struct strlist *agent_prune(const struct agent *agent)
{
    return &agent->prune;
}

int agent_adopt_root(struct agent *agent, const char *uuid, const char *name,
                     struct error *err)
{
    (void)journal_put_root(agent->journal, uuid, name);
    return journal_save(agent->journal, agent->config->agent.state_file, err);
}

void agent_look_closely(struct agent *agent)
{
    agent->closely = true;
}

void agent_look_wholly(struct agent *agent)
{
    agent->wholly = true;
}

void agent_look_at(struct agent *agent, const char *consumer)
{
    strlist_add_unique(&agent->consumers, consumer);
}

bool agent_knows(const struct agent *agent, const struct consumer_allocations *have)
{
    return placement_fetch_knows(agent->fetch, have);
}

int agent_ask_allocations(struct agent *agent, const char *consumer,
                          struct consumer_allocations *out, struct error *err)
{
    return placement_get_consumer_allocations(agent->client, consumer, out, err);
}

int agent_save_journal(struct agent *agent, struct error *err)
{
    if (!agent->journal_unsaved)
        return 0;
    if (journal_save(agent->journal, agent->config->agent.state_file, err) != 0)
        return -1;
    agent->journal_unsaved = false;
    return 0;
}

int agent_reread_journal(struct agent *agent, struct error *err)
{
    _cleanup_free_ char *note = NULL; /* agent_new() has reported it already */
    struct journal *journal;
    if (look_at_journal(agent, &journal, &note, err) != 0)
        return -1;
    journal_free(agent->journal);
    agent->journal = journal;
    if (agent->fetch)
        placement_fetch_set_journal(agent->fetch, journal);
    const struct boot_time time = boot_time_now();
    (void)boot_clock_follow(agent->journal, &time);
    return 0;
}

unsigned long agent_requests(const struct agent *agent)
{
    return agent->earlier_requests + placement_client_requests(agent->client);
}

unsigned agent_retry_after(const struct agent *agent)
{
    return placement_client_retry_after(agent->client);
}

int64_t agent_token_expires_at(const struct agent *agent)
{
    return placement_client_token_expires_at(agent->client);
}

int agent_fd(const struct agent *agent)
{
    return device_worker_fd(agent->worker);
}
