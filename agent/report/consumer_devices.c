#include "agent/report/consumer_devices.h"

#include <string.h>

#include "lib/xalloc.h"

static bool holds(const struct allocation_status *status)
{
    return status->state != ALLOCATION_RELEASING;
}

static int say_who_is_there(const struct plan *plan, const char *consumer,
                            struct error *err)
{
    _cleanup_strlist_ struct strlist names = {0};
    for (size_t i = 0; i < plan->allocation_count; i++)
        if (holds(&plan->allocations[i]))
            strlist_add_unique(&names, plan->allocations[i].consumer);
    if (names.count == 0)
        return error_set(err, ERROR_NOT_FOUND,
                         "consumer %s has nothing allocated here, and nobody else has",
                         consumer);
    _cleanup_free_ char *text = strlist_join(&names, ", ");
    return error_set(err, ERROR_NOT_FOUND,
                     "consumer %s has nothing allocated here; those who have: %s",
                     consumer, text);
}

/* The error for an allocation that has not got all its devices. The caller asks for
 * each allocation of the consumer; the first error decides. */
static int check_whole(const struct allocation_status *status, struct error *err)
{
    if (status->state == ALLOCATION_FAILED)
        return error_set(err, ERROR_EXHAUSTED, "consumer %s on %s: %s",
                         status->consumer, status->provider_name, status->reason);
    if (status->state == ALLOCATION_MIGRATING)
        return error_set(err, ERROR_BUSY, "consumer %s on %s: %s", status->consumer,
                         status->provider_name, status->reason);
    if (status->state == ALLOCATION_PENDING)
        return error_set(
            err, ERROR_BUSY, "consumer %s on %s: its devices are not all there yet%s%s",
            status->consumer, status->provider_name, status->reason ? ": " : "",
            status->reason ? status->reason : "");
    return 0;
}

/* In owner mode the agent decides which device a consumer gets. A plan may still
 * change; what the state file says does not. In nova mode nova-compute has decided
 * already. */
static int check_noted(const struct cycle *cycle, const char *consumer,
                       const char *uuid, struct error *err)
{
    if (cycle->config->agent.mode != MODE_OWNER)
        return 0;
    const struct journal_device *entry = journal_find_device(cycle->journal, uuid);
    if (entry && strcmp(entry->consumer, consumer) == 0 && !entry->released_at)
        return 0;
    return error_set(err, ERROR_BUSY,
                     "device %s is to be consumer %s's, but the state file does not "
                     "say so yet",
                     uuid, consumer);
}

/* A guest must not start with a device that another guest has, or is about to start
 * with. */
static int check_hands(const struct cycle *cycle, const char *consumer,
                       const char *address, struct error *err)
{
    const struct used_device *used =
        cycle->use ? device_use_find(cycle->use, address) : NULL;
    for (size_t i = 0; used && i < used->domains.count; i++)
        if (strcmp(used->domains.items[i], consumer) != 0)
            return error_set(err, ERROR_BUSY,
                             "device %s is in the hands of another: the domain %s "
                             "names it",
                             address, used->domains.items[i]);
    /* The process is not the consumer's own guest, since that one does not run. */
    if (used && used->group_open && !used->running)
        return error_set(err, ERROR_BUSY,
                         "device %s is in use: process %d has it open, and no domain "
                         "that runs names it",
                         address, (int)used->holder);
    return 0;
}

/* The device that the agent calls so, if the host has it: by the journal's address,
 * since the host may not know the uuid. `parent` may be NULL. */
static const struct device *find_device(const struct cycle *cycle, const char *uuid,
                                        const struct parent **parent)
{
    const struct journal_device *entry = journal_find_device(cycle->journal, uuid);
    const char *address = entry && *entry->address ? entry->address : uuid;
    const struct device *found = host_device(cycle->host, address, NULL, parent);
    if (found || !cycle->made)
        return found;
    const struct parent *noted;
    found = host_device(cycle->made, address, NULL, &noted);
    if (found)
        (void)host_parent(cycle->host, noted->name, parent);
    return found;
}

const char *device_address_of_uuid(const struct cycle *cycle, const char *uuid)
{
    const struct journal_device *entry = journal_find_device(cycle->journal, uuid);
    if (entry && *entry->address)
        return entry->address;
    const struct device *device = host_device(cycle->host, uuid, NULL, NULL);
    return device ? device->address : uuid;
}

struct strlist devices_existing(const struct cycle *cycle, const struct strlist *uuids)
{
    struct strlist found = {0};
    for (size_t i = 0; i < uuids->count; i++) {
        const struct device *device = find_device(cycle, uuids->items[i], NULL);
        if (device)
            strlist_add(&found, *device->address ? device->address : uuids->items[i]);
    }
    return found;
}

bool allocation_is_a_guests(const struct allocation_status *status)
{
    return holds(status) && status->state != ALLOCATION_MIGRATING;
}

int consumer_device_find(const struct cycle *cycle, const char *consumer,
                         const char *uuid, struct consumer_device *out,
                         struct error *err)
{
    const struct parent *parent = NULL;
    const struct device *found = find_device(cycle, uuid, &parent);
    if (!found || found->in_transition || !parent)
        return error_set(err, ERROR_BUSY, "device %s is not there yet", uuid);
    if (check_noted(cycle, consumer, uuid, err) != 0 ||
        check_hands(cycle, consumer, found->address, err) != 0)
        return -1;
    *out = (struct consumer_device){uuid, found, parent_type(parent, found->type_id)};
    return 0;
}

bool consumer_device_is_anothers(const struct cycle *cycle, const char *consumer,
                                 const char *address)
{
    return check_hands(cycle, consumer, address, NULL) != 0;
}

static int add_devices(const struct cycle *cycle,
                       const struct allocation_status *status,
                       struct consumer_device **out, size_t *count, struct error *err)
{
    if (check_whole(status, err) != 0)
        return -1;
    for (size_t i = 0; i < status->devices.count; i++) {
        struct consumer_device device;
        if (consumer_device_find(cycle, status->consumer, status->devices.items[i],
                                 &device, err) != 0)
            return -1;
        *array_add(*out, *count) = device;
    }
    return 0;
}

static int by_address(const void *a, const void *b)
{
    const struct consumer_device *x = a, *y = b;
    return strcmp(x->device->address, y->device->address);
}

int consumer_devices(const struct cycle *cycle, const char *consumer,
                     struct consumer_device **out, size_t *count, struct error *err)
{
    const struct plan *plan = cycle_plan(cycle);
    _cleanup_free_ struct consumer_device *devices = NULL;
    size_t found = 0;
    for (size_t i = 0; i < plan->allocation_count; i++) {
        const struct allocation_status *status = &plan->allocations[i];
        if (!holds(status) || strcmp(status->consumer, consumer) != 0)
            continue;
        if (add_devices(cycle, status, &devices, &found, err) != 0)
            return -1;
    }
    if (!devices)
        return say_who_is_there(plan, consumer, err);
    qsort(devices, found, sizeof *devices, by_address);
    *out = steal(devices);
    *count = found;
    return 0;
}
