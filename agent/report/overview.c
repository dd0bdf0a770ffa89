#include "agent/report/overview.h"

#include "agent/report/consumer_devices.h"
#include "lib/xalloc.h"

void overview_clear(struct overview *overview)
{
    for (size_t i = 0; i < overview->count; i++) {
        struct overview_allocation *allocation = &overview->allocations[i];
        free(allocation->gpu);
        free(allocation->provider_name);
        free(allocation->resource_class);
        free(allocation->reason);
        strlist_clear(&allocation->devices);
    }
    free(overview->allocations);
    free(overview->root_name);
    *overview = (struct overview){0};
}

static void add(struct overview *overview, const struct cycle *cycle,
                const struct allocation_status *status)
{
    struct overview_allocation *copy =
        array_add(overview->allocations, overview->count);
    *copy = (struct overview_allocation){
        .gpu = xstrdup(status->gpu),
        .provider_name = xstrdup(status->provider_name),
        .resource_class = xstrdup(status->resource_class),
        .units = status->amount,
        .devices = devices_existing(cycle, &status->devices),
        .state = status->state,
        .reason = xstrdup(status->reason),
    };
    uuid_text_copy(copy->consumer, status->consumer);
}

void overview_note_cycle(struct overview *overview, const struct cycle *cycle)
{
    const struct plan *plan = cycle_plan(cycle);
    const struct observed *observed = cycle->observed;
    /* After a failed write nothing is known of Placement: what was seen stays. */
    if (!observed)
        return;
    struct overview fresh = {.known = !plan->other_root,
                             .root_name = xstrdup(observed->root_name)};
    if (observed->root_found)
        uuid_text_copy(fresh.root_uuid, observed->root_uuid);
    for (size_t i = 0; fresh.known && i < plan->allocation_count; i++)
        add(&fresh, cycle, &plan->allocations[i]);
    overview_clear(overview);
    *overview = fresh;
}
