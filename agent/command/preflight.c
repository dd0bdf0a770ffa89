/* vgpu-agent preflight: whether this host has what virtual GPUs need. */
#include <string.h>
#include <sysexits.h>

#include "agent/command/command.h"
#include "agent/command/preflight_host.h"
#include "lib/text_wrap.h"
#include "lib/xalloc.h"

#define STATE_WIDTH 9

static int print_json(const struct preflight *preflight)
{
    static const struct table_column columns[] = {{.key = "check"},
                                                  {.key = "state"},
                                                  {.key = "found"},
                                                  {.key = "remedy"},
                                                  {.key = NULL}};
    _cleanup_(table_freep) struct table *table = table_new(columns);
    for (size_t i = 0; i < preflight->count; i++) {
        const struct preflight_item *item = &preflight->items[i];
        table_string(table, item->check);
        table_string(table, preflight_state_name(item->state));
        table_string(table, item->found);
        table_string(table, item->remedy);
    }
    return table_print(table, FORMAT_JSON, stdout);
}

static int print_lines(const struct preflight *preflight)
{
    for (size_t i = 0; i < preflight->count; i++) {
        const struct preflight_item *item = &preflight->items[i];
        _cleanup_free_ char *text = preflight_text(item);
        text_wrap_labelled(preflight_state_name(item->state), text, STATE_WIDTH,
                           TABLE_WIDTH, stdout);
    }
    return fflush(stdout);
}

static int run(const struct command_context *context, int argc, char **argv)
{
    (void)argc, (void)argv;
    _cleanup_(config_freep) struct config *config = NULL;
    _cleanup_(host_freep) struct host *host = NULL;
    int status = command_look_at_host(context, &config, &host);
    if (status != EXIT_SUCCESS)
        return status;
    _cleanup_preflight_ struct preflight preflight =
        preflight_of_host(config, config->agent.sysfs_root, host);
    if ((context->format == FORMAT_JSON ? print_json(&preflight)
                                        : print_lines(&preflight)) != 0)
        return EX_IOERR;
    return preflight_is_missing(&preflight) ? EXIT_FAILURE : EXIT_SUCCESS;
}

const struct command command_preflight = {
    .name = "preflight",
    .summary = "what this host lacks for virtual GPUs, and what to do",
    .run = run,
};
