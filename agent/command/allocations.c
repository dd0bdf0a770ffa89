/* vgpu-agent allocations: who has which devices. */
#include <sysexits.h>

#include "agent/command/session.h"
#include "agent/plan/text.h"
#include "lib/pci_address.h"
#include "lib/xalloc.h"

static const struct table_column columns[] = {
    {.key = "consumer"},
    {.key = "gpu"},
    {.key = "provider", .place = COLUMN_WIDE},
    {.key = "class", .place = COLUMN_ROOM},
    {.key = "units"},
    {.key = "mdevs", .title = "devices"},
    {.key = "state"},
    {.key = "reason", .place = COLUMN_BELOW},
    {.key = NULL},
};

/* Those that are there already: the uuids of the others are only meant for them. */
static struct strlist existing(const struct host *host, const struct strlist *mdevs)
{
    struct strlist found = {0};
    for (size_t i = 0; i < mdevs->count; i++)
        if (host_mdev(host, mdevs->items[i], NULL, NULL))
            strlist_add(&found, mdevs->items[i]);
    return found;
}

static void add_allocation(struct table *table, const struct host *host,
                           const struct allocation_status *allocation)
{
    _cleanup_strlist_ struct strlist mdevs = existing(host, &allocation->mdevs);
    _cleanup_free_ char *count = xasprintf("%zu", mdevs.count);
    table_string(table, allocation->consumer);
    table_string(table, allocation->gpu);
    table_brief(table, pci_address_brief(allocation->gpu));
    table_string(table, allocation->provider_name);
    table_string(table, allocation->resource_class);
    table_int(table, allocation->amount);
    table_list(table, &mdevs);
    table_brief(table, count);
    table_string(table, allocation_state_name(allocation->state));
    table_string(table, allocation->reason);
}

static int print_allocations(const struct cycle *cycle, enum output_format format)
{
    _cleanup_(table_freep) struct table *table = table_new(columns);
    const struct plan *plan = cycle_plan(cycle);
    for (size_t i = 0; i < plan->allocation_count; i++)
        add_allocation(table, cycle->host, &plan->allocations[i]);
    if (plan->allocation_count == 0 && format != FORMAT_JSON)
        return puts("nothing is allocated") < 0 || fflush(stdout) != 0 ? EX_IOERR
                                                                       : EX_OK;
    return table_print(table, format, stdout) == 0 ? EX_OK : EX_IOERR;
}

static int run(const struct command_context *context, int argc, char **argv)
{
    (void)argc, (void)argv;
    _cleanup_session_ struct command_session session = {.lenient = true};
    int status = command_session_look(&session, context);
    if (status != EX_OK)
        return status;
    struct error err;
    return command_check_root(&session.cycle, &err) == 0
               ? print_allocations(&session.cycle, context->format)
               : command_fail(&err);
}

const struct command command_allocations = {
    .name = "allocations",
    .summary = "who has which devices, and how each allocation stands",
    .run = run,
};
