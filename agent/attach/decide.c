#include "agent/attach/decide.h"

#include <string.h>

#include "lib/text_copy.h"
#include "lib/xalloc.h"

struct decision {
    const struct guest *guest;
    enum occasion occasion;
    bool not_live; /* no device is plugged in now */
    struct attach_action *actions;
    size_t count;
};

static bool is_live(const struct guest *guest, const char *address)
{
    return guest->running && strlist_sorted_contains(&guest->live, address);
}

static bool is_configured(const struct guest *guest, const char *address)
{
    return guest->persistent && strlist_sorted_contains(&guest->configured, address);
}

/* Takes the element. */
static void add_action(struct decision *decision, enum attach_verb verb,
                       const char *address, char *xml_take)
{
    struct attach_action *action = array_add(decision->actions, decision->count);
    action->verb = verb;
    text_copy_array(action->address, address);
    action->xml = xml_take;
}

static void add_attach(struct decision *decision, enum attach_verb verb,
                       const struct wanted_device *device)
{
    add_action(decision, verb, device->address, xstrdup(device->xml));
}

/* ---- the configuration ---- */

/* What the guest runs with stays until it stops. */
static void take_out_wrong(struct decision *decision, const struct wanted *wanted,
                           const struct strlist *ours)
{
    const struct strlist *configured = &decision->guest->configured;
    for (size_t i = 0; wanted->whole && i < configured->count; i++) {
        const char *address = configured->items[i];
        if (!strlist_sorted_contains(ours, address) || wanted_names(wanted, address) ||
            is_live(decision->guest, address))
            continue;
        char *xml = guest_device_xml(address);
        if (xml)
            add_action(decision, DETACH_CONFIGURED, address, xml);
    }
}

static void configure_missing(struct decision *decision, const struct wanted *wanted)
{
    for (size_t i = 0; i < wanted->count; i++)
        if (!is_configured(decision->guest, wanted->devices[i].address))
            add_attach(decision, ATTACH_CONFIGURED, &wanted->devices[i]);
}

/* ---- a guest that runs ---- */

/* Whether what is in the configuration alone is plugged in now. */
static bool start_has_passed_it(enum occasion occasion)
{
    return occasion == OCCASION_STARTED || occasion == OCCASION_RESTORED;
}

static void give_running(struct decision *decision, const struct wanted_device *device)
{
    const struct guest *guest = decision->guest;
    bool live = is_live(guest, device->address);
    bool configured = is_configured(guest, device->address);
    bool may_live = !live && !decision->not_live &&
                    decision->occasion != OCCASION_DEFINED &&
                    (!configured || start_has_passed_it(decision->occasion));
    /* With not_live the configuration is all that can be had. At DEFINED it has to
     * wait for STARTED, unless the guest has the device. */
    bool may_configure = guest->persistent && !configured &&
                         (live || decision->occasion != OCCASION_DEFINED);
    if (may_live)
        add_attach(decision, may_configure ? ATTACH_BOTH : ATTACH_LIVE, device);
    else if (may_configure)
        add_attach(decision, ATTACH_CONFIGURED, device);
}

/* Whether the guest runs with a device of ours that it is not to have. Then a resize is
 * under way as a rule: Placement has the new allocations before Nova stops the guest. */
static bool runs_with_wrong(const struct guest *guest, const struct wanted *wanted,
                            const struct strlist *ours)
{
    for (size_t i = 0; i < guest->live.count; i++)
        if (strlist_sorted_contains(ours, guest->live.items[i]) &&
            !wanted_names(wanted, guest->live.items[i]))
            return true;
    return false;
}

static void give_all_running(struct decision *decision, const struct wanted *wanted,
                             const struct strlist *ours)
{
    decision->not_live |= decision->occasion == OCCASION_LOOK &&
                          runs_with_wrong(decision->guest, wanted, ours);
    if (decision->guest->persistent && decision->occasion != OCCASION_DEFINED)
        take_out_wrong(decision, wanted, ours);
    for (size_t i = 0; i < wanted->count; i++)
        give_running(decision, &wanted->devices[i]);
}

/* ---- entries that only heal ---- */

static bool is_mediated(const char *address)
{
    char uuid[UUID_TEXT_SIZE];
    return uuid_parse_text(address, uuid);
}

/* Whether one of `addresses` is of that sort and not wanted. */
static bool has_other(const struct strlist *addresses, const struct wanted *wanted,
                      bool mediated)
{
    for (size_t i = 0; i < addresses->count; i++)
        if (is_mediated(addresses->items[i]) == mediated &&
            !wanted_names(wanted, addresses->items[i]))
            return true;
    return false;
}

static bool may_heal(const struct guest *guest, const struct wanted *wanted)
{
    for (size_t i = 0; i < wanted->count; i++) {
        bool mediated = is_mediated(wanted->devices[i].address);
        if (has_other(&guest->live, wanted, mediated) ||
            has_other(&guest->configured, wanted, mediated))
            return false;
    }
    return guest->running;
}

/* ---- all of it ---- */

bool occasion_acts(enum occasion occasion)
{
    return occasion != OCCASION_CHANGED && occasion != OCCASION_STOPPED;
}

void attach_decide(const struct guest *guest, const struct wanted *wanted,
                   const struct strlist *ours, enum occasion occasion, bool no_port,
                   struct attach_action **out, size_t *count)
{
    struct decision decision = {
        .guest = guest, .occasion = occasion, .not_live = no_port};
    bool acts = wanted && occasion_acts(occasion) &&
                (!wanted->heals || may_heal(guest, wanted));
    if (acts && guest->running)
        give_all_running(&decision, wanted, ours);
    else if (acts && guest->persistent) {
        take_out_wrong(&decision, wanted, ours);
        configure_missing(&decision, wanted);
    }
    *out = decision.actions;
    *count = decision.count;
}

void attach_actions_free(struct attach_action *actions, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(actions[i].xml);
    free(actions);
}

enum guest_state attach_state(const struct guest *guest, const struct wanted *wanted,
                              bool no_port)
{
    bool lacks = wanted && !wanted->whole; /* something, somewhere */
    bool to_come = lacks;                  /* so that something is still to be done */
    for (size_t i = 0; wanted && i < wanted->count; i++) {
        const char *address = wanted->devices[i].address;
        bool configured = is_configured(guest, address);
        if (guest->running ? is_live(guest, address) : configured)
            continue;
        lacks = true;
        to_come |= !configured && (guest->persistent || !no_port);
    }
    if (!lacks)
        return guest->running ? GUEST_ATTACHED : GUEST_CONFIGURED;
    if (to_come || !guest->running)
        return GUEST_MISSES;
    return no_port ? GUEST_WAITS_FOR_PORT : GUEST_AT_NEXT_START;
}
