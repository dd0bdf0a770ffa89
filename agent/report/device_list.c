#include "agent/report/device_list.h"

#include <string.h>

#include "agent/backend/backend.h"
#include "lib/xalloc.h"

/* Whether nova-compute takes devices of this type on this card: it hands out any idle
 * one, whoever has made it. */
static bool is_novas(const struct config *config, const struct device_row *row)
{
    if (config->agent.mode != MODE_NOVA || !row->gpu || !row->device->type_id ||
        !backend_is_novas(row->device->backend))
        return false;
    for (size_t i = 0; i < config->type_count; i++) {
        const struct device_type *type =
            gpu_resolve_type(row->gpu, config->types[i].type);
        if (type && strcmp(type->id, row->device->type_id) == 0)
            return true;
    }
    return false;
}

/* A device that the agent has made is its own also where somebody else has defined it
 * since. */
static enum device_owner owner_of(const struct device_sight *sight,
                                  const struct device_row *row,
                                  const struct used_device *used,
                                  const struct journal_device *entry)
{
    if (entry && !entry->adopted)
        return entry->by_hand ? OWNER_HAND : OWNER_AGENT;
    if (used && used->defined)
        return OWNER_MDEVCTL;
    if (!sight->journal || (sight->journal->rebuilding && !entry))
        return OWNER_UNKNOWN;
    return is_novas(sight->config, row) ? OWNER_NOVA : OWNER_FOREIGN;
}

static enum device_state state_of(const struct device_sight *sight,
                                  const struct device *device,
                                  const struct used_device *used,
                                  const struct journal_device *entry)
{
    if (device->in_transition)
        return DEVICE_IN_TRANSITION;
    if (used && (used->group_open || used->running))
        return DEVICE_IN_USE;
    if (sight->use->unknown)
        return DEVICE_UNKNOWN;
    if (used && (used->domains.count || *used->domain))
        return DEVICE_DEFINED;
    if (entry && entry->released_at && !entry->adopted)
        return DEVICE_RELEASING;
    if (entry && *entry->consumer && !entry->released_at)
        return DEVICE_ASSIGNED;
    return sight->journal ? DEVICE_IDLE : DEVICE_UNKNOWN;
}

static void add_row(const struct device_sight *sight, const struct gpu *gpu,
                    const struct parent *parent, const struct device *device,
                    struct device_row *row)
{
    const struct used_device *used = device_use_find(sight->use, device->address);
    const struct journal_device *entry =
        sight->journal
            ? journal_find_device_at(sight->journal, device->backend, device->address)
            : NULL;
    if (entry && !journal_device_may_be(entry, device, parent))
        entry = NULL;
    *row = (struct device_row){.device = device, .gpu = gpu};
    if (parent && device->type_id)
        row->type = parent_type(parent, device->type_id);
    if (used && *used->domain) {
        const struct domain *domain = domains_find(sight->domains, used->domain);
        row->consumer = used->domain;
        row->guest = domain ? domain->name : NULL;
    } else if (entry && *entry->consumer)
        row->consumer = entry->consumer;
    row->owner = owner_of(sight, row, used, entry);
    row->state = state_of(sight, device, used, entry);
    row->holder = used ? used->holder : 0;
}

void device_list_make(const struct device_sight *sight, struct device_row **out,
                      size_t *count)
{
    const struct host *host = sight->host;
    *out = NULL;
    *count = 0;
    for (size_t i = 0; i < host->gpu_count; i++)
        for (size_t j = 0; j < host->gpus[i].parent_count; j++) {
            const struct parent *parent = &host->gpus[i].parents[j];
            for (size_t k = 0; k < parent->device_count; k++)
                add_row(sight, &host->gpus[i], parent, &parent->devices[k],
                        array_add(*out, *count));
        }
    for (size_t i = 0; i < host->stray_count; i++)
        add_row(sight, NULL, NULL, &host->strays[i], array_add(*out, *count));
}

const char *device_owner_name(enum device_owner owner)
{
    static const char *const names[] = {"unknown", "agent",   "by hand",
                                        "nova",    "mdevctl", "foreign"};
    return names[owner];
}

const char *device_state_name(enum device_state state)
{
    static const char *const names[] = {"unknown", "in transition", "in use",
                                        "defined", "releasing",     "assigned",
                                        "idle"};
    return names[state];
}
