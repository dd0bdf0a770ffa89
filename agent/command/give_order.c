#include "agent/command/give_order.h"

#include <ctype.h>
#include <signal.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

#include "agent/command/ask_daemon.h"
#include "agent/state/instance_lock.h"
#include "agent/state/machine_id.h"
#include "lib/log.h"
#include "lib/pci_address.h"
#include "lib/text_copy.h"
#include "lib/xalloc.h"

/* No later cycle reports the result; in milliseconds. */
#define PATIENCE 60000

/* ---- by the daemon ---- */

static int wait_for_answer(const char *state_file, const struct order *order,
                           struct order_answer *answer, struct error *err)
{
    struct patience patience = {.since = command_ask_time()};
    if (instance_signal_daemon(state_file, SIGUSR1, NULL, err) != 0)
        return -1;
    while (!order_answer_take(state_file, order->device, answer))
        if (command_wait_a_moment(&patience, state_file, err) != 0)
            return error_prefix(err,
                                "the order stands, and is carried out as soon as it "
                                "can be (`vgpu-agent plan` says what it waits for)");
    return 0;
}

/* ---- by this process ---- */

static int carry_out(struct agent *agent, const struct config *config,
                     const struct order *order, struct order_answer *answer,
                     struct error *err)
{
    struct cycle cycle = {0};
    agent_set_patience(agent, PATIENCE);
    int rc = order_give(config->agent.state_file, order, err);
    bool answered = false;
    if (rc == 0) {
        rc = cycle_orders(agent, agent_now(agent), &cycle, err);
        answered = order_answer_take(config->agent.state_file, order->device, answer);
    }
    if (rc == 0 && !answered)
        rc = error_set(err, ERROR_BUSY, "it was not carried out: %s",
                       cycle.notes.count ? cycle.notes.items[0] : "it was interrupted");
    if (!answered)
        (void)order_withdraw(config->agent.state_file, order->device, NULL);
    cycle_clear(&cycle);
    return answered ? 0 : rc;
}

/* Where no type is configured, or no Placement, nothing of this host is there. */
static int act(const struct command_context *context, const struct config *config,
               const struct order *order, struct order_answer *answer,
               struct error *err)
{
    _cleanup_(agent_freep) struct agent *agent = NULL;
    _cleanup_free_ char *note = NULL;
    bool cloud = config->type_count && config->placement.auth_type;
    enum agent_access access = cloud ? AGENT_ACTS : AGENT_RESTORES;
    if (agent_new(config, access, context->command, time(NULL), &agent, &note, err) !=
        0)
        return -1;
    if (note)
        log_error("agent", "%s", note);
    return carry_out(agent, config, order, answer, err);
}

int command_give_order(const struct command_context *context,
                       const struct config *config, const struct order *order,
                       char **text, struct error *err)
{
    const char *state_file = config->agent.state_file;
    struct order_answer answer = {0};
    struct instance_holder holder;
    if (instance_lock_holder(state_file, &holder, err) != 0)
        return -1;
    int rc;
    if (strcmp(holder.command, INSTANCE_DAEMON) == 0)
        rc = order_give(state_file, order, err) == 0
                 ? wait_for_answer(state_file, order, &answer, err)
                 : -1;
    else
        rc = act(context, config, order, &answer, err);
    if (rc == 0 && answer.refusal.code) {
        *err = answer.refusal;
        rc = -1;
    }
    if (rc == 0)
        *text = steal(answer.text);
    free(answer.text);
    return rc;
}

/* ---- names of devices ---- */

/* The lengths of the parts of a uuid. */
static const size_t parts[] = {8, 4, 4, 4, 12};
#define PARTS (sizeof parts / sizeof *parts)

int command_parse_uuid(const char *text, char out[UUID_TEXT_SIZE], struct error *err)
{
    const char *p = text;
    if (uuid_parse_text(text, out))
        return 0;
    for (size_t i = 0; i < PARTS; i++) {
        size_t digits = strspn(p, "0123456789abcdefABCDEF");
        if (p[digits] && p[digits] != '-')
            return error_set(err, ERROR_INVALID,
                             "%s is no uuid: '%c' is no hexadecimal digit", text,
                             isprint((unsigned char)p[digits]) ? p[digits] : '?');
        if (digits != parts[i])
            return error_set(err, ERROR_INVALID,
                             "%s is no uuid: its part %zu has %zu digits, and should "
                             "have %zu (8-4-4-4-12)",
                             text, i + 1, digits, parts[i]);
        p += digits;
        if (i + 1 < PARTS && *p != '-')
            return error_set(err, ERROR_INVALID,
                             "%s is no uuid: it has %zu of its 5 parts (8-4-4-4-12)",
                             text, i + 1);
        p += *p == '-';
    }
    return error_set(err, ERROR_INVALID,
                     "%s is no uuid: there is something after its fifth part", text);
}

/* "41:00.4" and "0000:41:00.4" are the same function. */
static bool is_address(const char *address, const char *asked)
{
    uint64_t number, wanted;
    _cleanup_free_ char *whole = xasprintf("0000:%s", asked);
    return pci_address_parse(address, &number) &&
           (pci_address_parse(asked, &wanted) || pci_address_parse(whole, &wanted)) &&
           number == wanted;
}

static const struct device *find_on_host(const struct host *host, const char *asked)
{
    for (size_t i = 0; i < host->gpu_count; i++)
        for (size_t j = 0; j < host->gpus[i].parent_count; j++) {
            const struct parent *parent = &host->gpus[i].parents[j];
            for (size_t k = 0; k < parent->device_count; k++)
                if (is_address(parent->devices[k].address, asked))
                    return &parent->devices[k];
        }
    char uuid[UUID_TEXT_SIZE];
    return uuid_parse_text(asked, uuid) ? host_device(host, uuid, NULL, NULL) : NULL;
}

/* The agent's name for a device: its address, where the state file has one. */
static char *find_in_journal(const struct config *config, const char *asked)
{
    _cleanup_(journal_freep) struct journal *journal = NULL;
    _cleanup_free_ char *note = NULL;
    char uuid[UUID_TEXT_SIZE], machine[UUID_TEXT_SIZE];
    struct error ignored;
    machine_id_read(config->agent.host_root, machine);
    if (!uuid_parse_text(asked, uuid) ||
        journal_look(config->agent.state_file, machine, &journal, &note, &ignored) != 0)
        return NULL;
    const struct journal_device *entry = journal_find_device(journal, uuid);
    return entry ? xstrdup(entry->uuid) : NULL;
}

int command_find_device(const struct config *config, const struct host *host,
                        const char *asked, char **name, struct error *err)
{
    uint64_t number;
    char uuid[UUID_TEXT_SIZE];
    const struct device *device = find_on_host(host, asked);
    *name = device ? xstrdup(device->address) : find_in_journal(config, asked);
    if (*name)
        return 0;
    if (!strchr(asked, ':') && !pci_address_parse(asked, &number) &&
        command_parse_uuid(asked, uuid, err) != 0)
        return -1;
    for (size_t i = 0; i < host->gpu_count; i++) {
        _cleanup_free_ char *unread = command_unread(&host->gpus[i]);
        if (unread)
            return error_set(err, ERROR_UNREACHABLE,
                             "whether there is a device %s cannot be seen: %s", asked,
                             unread);
    }
    return error_set(err, ERROR_NOT_FOUND,
                     "there is no device %s on this host (`vgpu-agent devices` lists "
                     "them)",
                     asked);
}
