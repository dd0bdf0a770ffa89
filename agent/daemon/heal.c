#include "agent/daemon/heal.h"

#include <string.h>

#include "agent/backend/backend.h"

struct healing {
    const struct cycle *cycle;
    const struct domains *view;
    const struct wanted_table *before;
    struct wanted_table *out;
};

/* Nobody has it, and no other consumer is to get it. What cannot be seen is not idle. */
static bool is_idle(const struct healing *healing, const char *address)
{
    const struct device_use *use = healing->cycle->use;
    if (!use || use->unknown || device_use_find(use, address) ||
        wanted_has(healing->out, address))
        return false;
    for (size_t i = 0; i < healing->view->count; i++)
        if (domain_names(&healing->view->items[i], address))
            return false;
    return true;
}

/* Not one that was chosen for another consumer before. */
static bool may_choose(const struct healing *healing, const char *consumer,
                       const struct device *device, const char *type_id)
{
    return !device->in_transition && device->type_id &&
           strcmp(device->type_id, type_id) == 0 && is_idle(healing, device->address) &&
           (!wanted_has(healing->before, device->address) ||
            wanted_names(wanted_find(healing->before, consumer), device->address));
}

static void add_device(struct wanted *wanted, const struct parent *parent,
                       const struct device *device)
{
    const struct backend *backend = backend_find(device->backend);
    _cleanup_free_ char *xml =
        backend->guest_xml(device, parent_type(parent, device->type_id));
    wanted_add_device(wanted, device->address, xml);
}

/* Adds up to `missing` devices of the provider: of those that were chosen before, or of
 * all. Gives how many are missing still. */
static int64_t choose(const struct healing *healing, const char *consumer,
                      const struct desired_provider *provider, bool before,
                      int64_t missing)
{
    const struct wanted *chosen = wanted_find(healing->before, consumer);
    for (size_t i = 0; i < provider->view.parent_count; i++) {
        const struct parent *parent = &provider->view.parents[i];
        for (size_t j = 0; j < parent->device_count && missing > 0; j++) {
            const struct device *device = &parent->devices[j];
            if ((before && !wanted_names(chosen, device->address)) ||
                !may_choose(healing, consumer, device, provider->type_id))
                continue;
            add_device(wanted_table_add(healing->out, consumer), parent, device);
            missing--;
        }
    }
    return missing;
}

static const struct desired_provider *
provider_of(const struct cycle *cycle, const struct allocation_status *status)
{
    for (size_t i = 0; cycle->desired && i < cycle->desired->provider_count; i++) {
        const struct desired_provider *provider = &cycle->desired->providers[i];
        if (strcmp(provider->name, status->provider_name) == 0 && provider->type_id &&
            strcmp(provider->resource_class, status->resource_class) == 0)
            return provider;
    }
    return NULL;
}

static void heal(const struct healing *healing, const struct allocation_status *status)
{
    const struct desired_provider *provider = provider_of(healing->cycle, status);
    int64_t missing = status->amount - (int64_t)status->devices.count;
    if (!provider || missing <= 0)
        return;
    missing = choose(healing, status->consumer, provider, true, missing);
    (void)choose(healing, status->consumer, provider, false, missing);
}

static bool is_to_heal(const struct guests *guests,
                       const struct allocation_status *status, int64_t now)
{
    const struct guest_row *row = guests_find(guests, status->consumer);
    return status->state == ALLOCATION_PENDING && row && guest_is_overdue(row, now);
}

void heal_add(const struct cycle *cycle, const struct guests *guests,
              const struct domains *view, const struct wanted_table *before,
              int64_t now, struct wanted_table *out)
{
    const struct healing healing = {cycle, view, before, out};
    const struct plan *plan = cycle_plan(cycle);
    for (size_t i = 0; view->complete && i < plan->allocation_count; i++)
        if (is_to_heal(guests, &plan->allocations[i], now))
            heal(&healing, &plan->allocations[i]);
    for (size_t i = 0; i < out->count; i++)
        out->consumers[i].heals = out->consumers[i].whole = true;
    wanted_table_sort(out);
}
