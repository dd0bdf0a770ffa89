#include "agent/daemon/attach_table.h"

#include <string.h>

#include "agent/backend/backend.h"
#include "agent/report/consumer_devices.h"
#include "lib/xalloc.h"

struct making {
    const struct cycle *cycle;
    const struct domains *view;
    struct strlist *withheld;
    struct wanted_table *out;
};

static bool is_anothers(const struct domains *view, const char *consumer,
                        const char *address)
{
    for (size_t i = 0; i < view->count; i++) {
        const struct domain *domain = &view->items[i];
        if (strcmp(domain->uuid, consumer) != 0 && domain_names(domain, address))
            return true;
    }
    return false;
}

/* A card goes to a guest with all its functions, each by an element of its own. */
static void add_parts(struct wanted *wanted, const struct device *device,
                      const struct device_type *type)
{
    const struct backend *backend = backend_find(device->backend);
    for (size_t i = 0; i < device_part_count(device); i++) {
        const struct device part = device_part(device, i);
        _cleanup_free_ char *xml = backend->guest_xml(&part, type);
        wanted_add_device(wanted, part.address, xml);
    }
}

/* Adds the device to the consumer's entry, where it is there and nobody else's. */
static bool add_device(const struct making *making, struct wanted *wanted,
                       const char *uuid)
{
    const struct cycle *cycle = making->cycle;
    struct consumer_device device;
    const char *address = device_address_of_uuid(cycle, uuid);
    if (consumer_device_is_anothers(cycle, wanted->consumer, address))
        strlist_add_unique(making->withheld, address);
    if (consumer_device_find(cycle, wanted->consumer, uuid, &device, NULL) != 0 ||
        (!cycle->use && strlist_contains(making->withheld, address)))
        return false;
    for (size_t i = 0; i < device_part_count(device.device); i++)
        if (is_anothers(making->view, wanted->consumer,
                        device_part(device.device, i).address))
            return false;
    add_parts(wanted, device.device, device.type);
    return true;
}

static void add_allocation(const struct making *making,
                           const struct allocation_status *status)
{
    size_t before = making->out->count;
    struct wanted *wanted = wanted_table_add(making->out, status->consumer);
    if (making->out->count > before)
        wanted->whole = true;
    int64_t found = 0;
    for (size_t i = 0; i < status->devices.count; i++)
        found += add_device(making, wanted, status->devices.items[i]);
    if (found < status->amount)
        wanted->whole = false;
}

static bool is_ours(const struct journal_device *entry)
{
    return !entry->adopted && !entry->by_hand && *entry->address;
}

static void add_ours(const struct cycle *cycle, struct strlist *ours)
{
    for (size_t i = 0; i < cycle->journal->device_count; i++) {
        const struct journal_device *entry = &cycle->journal->devices[i];
        if (!is_ours(entry))
            continue;
        strlist_add(ours, entry->address);
        const struct device *device =
            host_device(cycle->host, entry->address, NULL, NULL);
        for (size_t j = 0; device && j < device->functions.count; j++)
            strlist_add(ours, device->functions.items[j]);
    }
}

/* ---- guests that have no allocation any more ---- */

/* Whether Placement was seen to have nothing of the consumer's, here and where the device
 * was allocated. */
static bool has_nothing(const struct cycle *cycle, const struct journal_device *entry)
{
    const struct plan *plan = cycle_plan(cycle);
    for (size_t i = 0; i < plan->allocation_count; i++)
        if (plan->allocations[i].state != ALLOCATION_RELEASING &&
            strcmp(plan->allocations[i].consumer, entry->consumer) == 0)
            return false;
    const struct observed_provider *provider =
        observed_by_uuid(cycle->observed, entry->provider);
    if (!provider || !provider->detailed)
        return false;
    for (size_t i = 0; i < provider->allocation_count; i++)
        if (strcmp(provider->allocations[i].consumer, entry->consumer) == 0)
            return false;
    return true;
}

static bool is_configured_with(const struct domain *domain, const struct cycle *cycle,
                               const struct journal_device *entry)
{
    const struct device *device = host_device(cycle->host, entry->address, NULL, NULL);
    bool named = strlist_contains(&domain->configured, entry->address);
    for (size_t i = 0; device && i < device->functions.count; i++)
        named |= strlist_contains(&domain->configured, device->functions.items[i]);
    return named;
}

/* The consumer's domain still names its former device: nova-compute keeps for good what it
 * finds in a configuration. Other domains that name it are none of the agent's business:
 * an operator has configured them. */
static void add_emptied(const struct making *making, const struct journal_device *entry)
{
    const struct domain *domain = domains_find(making->view, entry->consumer);
    if (domain && is_configured_with(domain, making->cycle, entry) &&
        has_nothing(making->cycle, entry))
        wanted_table_add(making->out, domain->uuid)->whole = true;
}

static void add_all_emptied(const struct making *making)
{
    const struct cycle *cycle = making->cycle;
    if (!cycle->observed || cycle->may_lack)
        return;
    for (size_t i = 0; i < cycle->journal->device_count; i++)
        if (is_ours(&cycle->journal->devices[i]))
            add_emptied(making, &cycle->journal->devices[i]);
}

/* ---- all of it ---- */

void attach_table_make(const struct cycle *cycle, const struct domains *view,
                       struct strlist *withheld, struct wanted_table *out)
{
    *out = (struct wanted_table){0};
    /* In nova mode nova-compute gives guests their devices (agent/daemon/heal.h). */
    if (cycle->config->agent.mode != MODE_OWNER)
        return;
    if (cycle->use)
        strlist_clear(withheld);
    const struct making making = {cycle, view, withheld, out};
    const struct plan *plan = cycle_plan(cycle);
    for (size_t i = 0; i < plan->allocation_count; i++)
        if (allocation_is_a_guests(&plan->allocations[i]))
            add_allocation(&making, &plan->allocations[i]);
    add_ours(cycle, &out->ours);
    add_all_emptied(&making);
    wanted_table_sort(out);
}

static void drop_device(struct wanted *wanted, size_t at)
{
    free(wanted->devices[at].xml);
    for (; at + 1 < wanted->count; at++)
        wanted->devices[at] = wanted->devices[at + 1];
    wanted->count--;
    wanted->whole = false;
}

bool attach_table_drop(struct wanted_table *table, const struct strlist *addresses)
{
    bool dropped = false;
    for (size_t i = 0; i < table->count; i++) {
        struct wanted *wanted = &table->consumers[i];
        for (size_t j = wanted->count; j-- > 0;)
            if (strlist_contains(addresses, wanted->devices[j].address)) {
                drop_device(wanted, j);
                dropped = true;
            }
    }
    return dropped;
}
