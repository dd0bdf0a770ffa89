#include "agent/cycle_parts.h"

#include "agent/state/awaited_cards.h"
#include "agent/state/known_types.h"
#include "lib/files.h"
#include "lib/xalloc.h"

/* How often a command reads a state file and a host that keep changing. */
#define LOOKS 3

/* With the types that earlier looks saw, and with virtual functions where they can be
 * had by now. */
static int look_at_cards(struct agent *agent, struct cycle *cycle, struct error *err)
{
    bool restores = agent->access == AGENT_RESTORES;
    _cleanup_strlist_ struct strlist awaited =
        awaited_cards(agent->journal, agent->config);
    host_reader_set_awaited(agent->reader, &awaited);
    if (host_reader_look(agent->reader, &cycle->host, err) != 0)
        return -1;
    if (agent->access != AGENT_LOOKS &&
        enabler_care(agent->enabler, agent->config, &agent->choices, agent->journal,
                     cycle->host, restores, agent->interrupted, agent->data)) {
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

/* The state file is read before the host. What a daemon makes in between has no entry in
 * what was read, so both are read again. */
static int look_beside_daemon(struct agent *agent, struct cycle *cycle,
                              struct error *err)
{
    const char *path = agent->config->agent.state_file;
    for (int looks = 1;; looks++) {
        const struct file_stamp before = file_stamp_at(path);
        if (agent_reread_journal(agent, err) != 0 ||
            look_at_cards(agent, cycle, err) != 0)
            return -1;
        const struct file_stamp after = file_stamp_at(path);
        if (looks == LOOKS || file_stamp_equal(&before, &after))
            return 0;
        host_free(cycle->host);
        cycle->host = NULL;
    }
}

int cycle_look_at_host(struct agent *agent, struct cycle *cycle, struct error *err)
{
    int rc = agent->access == AGENT_LOOKS ? look_beside_daemon(agent, cycle, err)
                                          : look_at_cards(agent, cycle, err);
    cycle->journal = agent->journal;
    return rc;
}

/* ---- who uses the devices ---- */

static struct use_places places_of(struct agent *agent)
{
    struct use_places places = use_places_of(agent->config);
    places.before_libvirt = agent->access == AGENT_RESTORES;
    places.view = agent->view;
    places.files = &agent->domain_files;
    return places;
}

/* Whether a process has, or may have, the place of a device that does not exist. */
static bool are_places_held(const struct host *host, const struct device_use *use)
{
    bool held = use->unknown;
    for (size_t i = 0; i < host->gpu_count; i++)
        for (size_t j = 0; j < host->gpus[i].parent_count && !held; j++) {
            const struct parent *parent = &host->gpus[i].parents[j];
            const struct used_device *used =
                parent->place_count ? device_use_find(use, parent->places[0].address)
                                    : NULL;
            held = used && used->group_open;
        }
    return held;
}

void cycle_look_who_uses(struct agent *agent, struct cycle *cycle)
{
    const struct use_places places = places_of(agent);
    _cleanup_free_ char *note = NULL;
    cycle->use = device_use_scan(&places, cycle->host, &note);
    agent->places_held = are_places_held(cycle->host, cycle->use);
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

void cycle_look_who_names(struct agent *agent, struct cycle *cycle)
{
    const struct use_places places = places_of(agent);
    if (!cycle->use && !cycle->named && agent->config->agent.mode == MODE_OWNER &&
        (cycle->serves || host_has_places(cycle->host)))
        cycle->named = device_use_scan_names(&places, cycle->host);
}

bool cycle_must_look_for_holders(const struct agent *agent, const struct cycle *cycle)
{
    return agent->places_held && agent->config->agent.mode == MODE_OWNER &&
           host_has_places(cycle->host);
}
