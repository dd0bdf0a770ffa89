/* vgpu-agent allocations: the consumers, and the devices that each has. */
#include <string.h>
#include <sysexits.h>

#include "agent/command/session.h"
#include "agent/command/view.h"
#include "agent/plan/steps/text.h"
#include "agent/report/consumer_devices.h"
#include "agent/report/guests_file.h"
#include "agent/report/problems_file.h"
#include "agent/state/instance_lock.h"
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
    {.key = "guest", .place = COLUMN_WIDE},
    {.key = "guest_since", .place = COLUMN_WIDE},
    {.key = "guest_reason", .place = COLUMN_BELOW},
    {.key = "reason", .place = COLUMN_BELOW},
    {.key = NULL},
};

/* The reason of an allocation. For one whose devices the daemon is to make, also the
 * reason why the daemon failed to make one on this GPU, which only the daemon knows.
 * The caller frees. */
static char *reason_of(const struct allocation_status *allocation,
                       const struct problem_list *said)
{
    if (!allocation->reason)
        return NULL;
    _cleanup_free_ char *failure =
        xasprintf("%s: %s: ", allocation->gpu, step_kind_name(STEP_CREATE_DEVICE));
    for (size_t i = 0; allocation->planned && i < said->count; i++)
        if (strncmp(said->items[i].text, failure, strlen(failure)) == 0)
            return xasprintf("%s; on this GPU the daemon failed: %s",
                             allocation->reason, said->items[i].text + strlen(failure));
    return xstrdup(allocation->reason);
}

/* What the daemon says; nothing where it does not run. */
struct said {
    struct problem_list problems;
    struct guests_report guests;
};

/* In the usual table, only a guest that does not stand as it should. */
static char *guest_brief(const struct guest_row *row)
{
    if (row->known && row->state <= GUEST_ATTACHED)
        return NULL;
    char *text = xasprintf("guest: %s%s%s", guest_row_state(row),
                           row->reason ? ": " : "", row->reason ? row->reason : "");
    for (char *p = text + strlen("guest: "); *p && *p != ':'; p++)
        *p = *p == '_' ? ' ' : *p;
    return text;
}

static void add_guest(struct table *table, const struct said *said,
                      const struct allocation_status *allocation)
{
    const struct guest_row *row =
        guests_find(&said->guests.guests, allocation->consumer);
    if (!row) {
        for (int i = 0; i < 3; i++)
            table_none(table);
        return;
    }
    _cleanup_free_ char *brief = guest_brief(row);
    table_string(table, guest_row_state(row));
    table_int(table, row->since);
    table_string(table, row->reason);
    table_brief(table, brief ? brief : "-");
}

static void add_allocation(struct table *table, const struct cycle *cycle,
                           const struct said *said,
                           const struct allocation_status *allocation)
{
    _cleanup_free_ char *reason = reason_of(allocation, &said->problems);
    _cleanup_strlist_ struct strlist devices =
        devices_existing(cycle, &allocation->devices);
    _cleanup_free_ char *count = xasprintf("%zu", devices.count);
    table_string(table, allocation->consumer);
    table_string(table, allocation->gpu);
    table_brief(table, pci_address_brief(allocation->gpu));
    table_string(table, allocation->provider_name);
    table_string(table, allocation->resource_class);
    table_int(table, allocation->amount);
    table_list(table, &devices);
    table_brief(table, count);
    table_string(table, allocation_state_name(allocation->state));
    table_tone(table, view_allocation_tone(allocation->state));
    add_guest(table, said, allocation);
    table_string(table, reason);
}

/* Reads what the daemon reports; nothing where that cannot be read. */
static void read_said(const struct config *config, struct said *said)
{
    struct instance_holder holder;
    int64_t cycle_end;
    char digest[UUID_TEXT_SIZE];
    struct error ignored;
    const char *state_file = config->agent.state_file;
    if (instance_lock_holder(state_file, &holder, &ignored) != 0 ||
        strcmp(holder.command, INSTANCE_DAEMON) != 0)
        return;
    (void)problems_file_read(state_file, holder.pid, &said->problems, &cycle_end,
                             digest, &ignored);
    (void)guests_file_read(state_file, holder.pid, &said->guests, &ignored);
}

static void clear_said(struct said *said)
{
    problems_clear(&said->problems);
    guests_report_clear(&said->guests);
}

static int print_allocations(const struct cycle *cycle,
                             const struct command_context *context)
{
    enum output_format format = context->format;
    _cleanup_(clear_said) struct said said = {0};
    read_said(cycle->config, &said);
    _cleanup_(table_freep) struct table *table = table_new(columns);
    const struct plan *plan = cycle_plan(cycle);
    for (size_t i = 0; i < plan->allocation_count; i++)
        add_allocation(table, cycle, &said, &plan->allocations[i]);
    if (plan->allocation_count == 0 && format != FORMAT_JSON)
        return puts("nothing is allocated") < 0 || fflush(stdout) != 0 ? EX_IOERR
                                                                       : EX_OK;
    return table_print_styled(table, format, &context->style, stdout) == 0 ? EX_OK
                                                                           : EX_IOERR;
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
               ? print_allocations(&session.cycle, context)
               : command_fail(&err);
}

const struct command command_allocations = {
    .name = "allocations",
    .summary = "who has which devices, and how each allocation stands",
    .run = run,
};
