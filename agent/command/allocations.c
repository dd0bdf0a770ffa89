/* vgpu-agent allocations: who has which devices. */
#include <sysexits.h>

#include "agent/command/session.h"
#include "agent/plan/text.h"

static int run(const struct command_context *context, int argc, char **argv)
{
    (void)argc, (void)argv;
    _cleanup_session_ struct command_session session = {.lenient = true};
    int status = command_session_look(&session, context);
    if (status != EX_OK)
        return status;
    static const char *const columns[] = {"consumer", "provider", "class",  "units",
                                          "mdevs",    "state",    "reason", NULL};
    _cleanup_(table_freep) struct table *table = table_new(columns);
    const struct plan *plan = cycle_plan(&session.cycle);
    for (size_t i = 0; i < plan->allocation_count; i++) {
        const struct allocation_status *allocation = &plan->allocations[i];
        table_string(table, allocation->consumer);
        table_string(table, allocation->provider_name);
        table_string(table, allocation->resource_class);
        table_int(table, allocation->amount);
        table_list(table, &allocation->mdevs);
        table_string(table, allocation_state_name(allocation->state));
        table_string(table, allocation->reason);
    }
    return table_print(table, context->format, stdout) == 0 ? EX_OK : EX_IOERR;
}

const struct command command_allocations = {
    .name = "allocations",
    .summary = "who has which devices, and how each allocation stands",
    .run = run,
};
