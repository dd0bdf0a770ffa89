/* vgpu-agent gpus: the physical GPUs of this host, their configuration and their
 * state. */
#include <string.h>
#include <sysexits.h>
#include <time.h>

#include "agent/command/command.h"
#include "agent/command/gpu_argument.h"
#include "agent/command/view.h"
#include "agent/host/pci_ids.h"
#include "agent/report/gpu_status.h"
#include "agent/report/gpu_types.h"
#include "lib/pci_address.h"
#include "lib/text_wrap.h"

static const struct table_column columns[] = {
    {.key = "gpu"},
    {.key = "device", .place = COLUMN_WIDE},
    {.key = "driver", .place = COLUMN_WIDE},
    {.key = "type"},
    {.key = "service"},
    {.key = "health"},
    {.key = "total"},
    {.key = "used"},
    {.key = "reserved"},
    {.key = "devices", .place = COLUMN_ROOM},
    {.key = "logical_name", .place = COLUMN_ROOM, .title = "NAME"},
    {.key = "node_name", .place = COLUMN_WIDE},
    {.key = "numa_node", .place = COLUMN_WIDE},
    {.key = "model", .place = COLUMN_WIDE},
    {.key = "note", .place = COLUMN_BELOW},
    {.key = "types", .place = COLUMN_WIDE},
    {.key = NULL},
};

static void add_types(struct table *table, const struct gpu *gpu)
{
    _cleanup_strlist_ struct strlist types = {0};
    for (size_t i = 0; gpu && i < gpu->parent_count; i++)
        for (size_t j = 0; j < gpu->parents[i].type_count; j++)
            strlist_add_unique(&types, gpu->parents[i].types[j].id);
    table_list(table, &types);
}

static void add_names(struct table *table, const struct gpu *gpu,
                      const struct host *host, const struct pci_ids *ids)
{
    _cleanup_free_ char *logical = gpu ? host_logical_name(host, gpu) : NULL;
    _cleanup_free_ char *model =
        gpu ? pci_ids_model(ids, gpu->vendor, gpu->device) : NULL;
    table_string(table, logical);
    table_string(table, gpu ? gpu->node_name : NULL);
    if (gpu && gpu->numa_node >= 0)
        table_int(table, gpu->numa_node);
    else
        table_none(table);
    table_string(table, model);
}

/* `gpu` is NULL for a GPU that the configuration or Placement has, but not the host. */
static void add_gpu(struct table *table, const struct style *style,
                    const struct gpu_status *status, const struct gpu *gpu,
                    const struct host *host, const struct pci_ids *ids)
{
    table_string(table, status->card);
    table_brief(table, pci_address_brief(status->card));
    if (gpu && gpu->vendor)
        table_format(table, "%04x:%04x", gpu->vendor, gpu->device);
    else
        table_none(table);
    table_string(table, gpu ? gpu->driver : NULL);
    table_string(table, status->type_id);
    view_add_state(table, status);
    view_add_numbers(table, style, status,
                     status->known && status->service != GPU_UNUSED);
    /* The number of its devices is not known. */
    if (status->health == GPU_UNREADABLE)
        table_none(table);
    else
        table_int(table, status->devices);
    add_names(table, gpu, host, ids);
    table_string(table, status->reason);
    /* The column SERVICE says "unused" already. */
    if (status->known && status->service == GPU_UNUSED && gpu && gpu_offers_types(gpu))
        table_brief(table, "-");
    add_types(table, gpu);
}

/* For people: why the table is empty, or why no type is enabled. */
static void print_why(const struct cycle *cycle, size_t rows, const struct style *style)
{
    const struct config *config = cycle->config;
    _cleanup_free_ char *nothing = desired_nothing_enabled(config, cycle->host);
    _cleanup_free_ char *obstacle =
        rows ? NULL : host_obstacle(cycle->host, config->agent.sysfs_root);
    if (obstacle)
        text_wrap(obstacle, 0, style->width, stdout);
    if (nothing)
        text_wrap(nothing, 0, style->width, stdout);
}

static int print_gpus(const struct cycle *cycle, const struct command_context *context)
{
    enum output_format format = context->format;
    const struct style *style = &context->style;
    _cleanup_(table_freep) struct table *table = table_new(columns);
    _cleanup_gpus_ struct gpu_status_list list = {0};
    gpu_status_make(cycle, &list);
    gpu_status_join_cards(&list);
    _cleanup_pci_ids_ struct pci_ids ids;
    pci_ids_read(cycle->config->agent.host_root, &ids);
    for (size_t i = 0; i < list.count; i++)
        add_gpu(table, style, &list.items[i], host_gpu(cycle->host, list.items[i].card),
                cycle->host, &ids);
    size_t rows = list.count;
    if ((rows || format == FORMAT_JSON) &&
        table_print_styled(table, format, style, stdout) != 0)
        return EX_IOERR;
    if (format != FORMAT_JSON)
        print_why(cycle, rows, style);
    return fflush(stdout) == 0 ? EX_OK : EX_IOERR;
}

/* ---- one GPU ---- */

static const struct table_column type_columns[] = {
    {.key = "type"},    {.key = "name"},     {.key = "supported"},
    {.key = "enabled"}, {.key = "resident"}, {.key = "total"},
    {.key = "used"},    {.key = "service"},  {.key = "note", .place = COLUMN_BELOW},
    {.key = NULL},
};

static void add_type(struct table *table, const struct gpu_type *type)
{
    bool counts = type->known && type->service != GPU_UNUSED;
    table_string(table, type->type);
    table_string(table, type->name);
    table_string(table, type->id ? "yes" : "no");
    table_string(table, type_enabled_name(type->enabled));
    if (type->seen)
        table_int(table, type->devices);
    else
        table_none(table);
    const int64_t numbers[] = {type->total, type->used};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (counts)
            table_int(table, numbers[i]);
        else
            table_none(table);
    table_string(table, counts ? gpu_service_name(type->service) : NULL);
    table_string(table, type->reason);
}

static int print_gpu(const struct cycle *cycle, const char *asked,
                     const struct command_context *context)
{
    _cleanup_(table_freep) struct table *table = table_new(type_columns);
    _cleanup_gpu_types_ struct gpu_type_list list = {0};
    _cleanup_gpu_names_ struct gpu_names names = {0};
    _cleanup_free_ char *gpu = NULL;
    struct error err;
    gpu_names_add_config(&names, cycle->config);
    gpu_names_add_cycle(&names, cycle);
    if (gpu_argument_name(cycle->host, &names, asked, &gpu, &err) != 0)
        return command_fail(&err);
    gpu_types_make(cycle, gpu, &list);
    for (size_t i = 0; i < list.count; i++)
        add_type(table, &list.items[i]);
    if (list.count == 0 && context->format != FORMAT_JSON)
        return printf("%s offers no types, and none is enabled for it\n", gpu) < 0
                   ? EX_IOERR
                   : EX_OK;
    int rc = table_print_styled(table, context->format, &context->style, stdout);
    return rc == 0 && fflush(stdout) == 0 ? EX_OK : EX_IOERR;
}

/* ---- looking ---- */

/* Without a usable [placement] the command looks only at the host. */
static bool has_placement(const struct config *config)
{
    _cleanup_problems_ struct config_problems problems = {0};
    config_check_placement(config, &problems);
    return !config_has_errors(&problems);
}

/* True when the cycle has seen the host. If Placement could not be read, a message says
 * so. */
static bool look(const struct command_context *context, const struct config *config,
                 struct agent **agent, struct cycle *cycle)
{
    struct error err;
    _cleanup_free_ char *note = NULL;
    if (agent_new(config, AGENT_LOOKS, context->command, time(NULL), agent, &note,
                  &err) == 0 &&
        cycle_look(*agent, time(NULL), false, cycle, &err) == 0)
        return true;
    command_say(err.text);
    return cycle->host != NULL;
}

static int look_and_print(const struct command_context *context,
                          const struct config *config, const char *asked)
{
    _cleanup_(agent_freep) struct agent *agent = NULL;
    _cleanup_(type_choices_clear) struct type_choices choices = {0};
    _cleanup_(cycle_clear) struct cycle cycle = {.config = config, .choices = &choices};
    struct error err;
    if (command_read_choices(config, &choices, &err) != 0)
        command_say(err.text);
    if (!(has_placement(config) && look(context, config, &agent, &cycle)) &&
        command_see_host(config, config->agent.sysfs_root, &cycle.host, &err) != 0)
        return command_fail(&err);
    return asked ? print_gpu(&cycle, asked, context) : print_gpus(&cycle, context);
}

static int run(const struct command_context *context, int argc, char **argv)
{
    _cleanup_(config_freep) struct config *config = NULL;
    if (settings_load(&context->settings, &config) != 0)
        return EX_CONFIG;
    return look_and_print(context, config, argc > 1 ? argv[1] : NULL);
}

const struct command command_gpus = {
    .name = "gpus",
    .argument = "GPU",
    .argument_may_be_left_out = true,
    .summary = "all GPUs of the host: configured type, how each stands, and why",
    .run = run,
};
