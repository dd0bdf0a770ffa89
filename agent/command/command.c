#include "agent/command/command.h"

#include <stdlib.h>
#include <string.h>

#include "agent/backend/reader.h"
#include "lib/log.h"

const struct command *const commands[] = {
    &command_status,
    &command_gpus,
    &command_types,
    &command_plan,
    &command_sync,
    &command_run,
    &command_reload,
    &command_drain,
    &command_undrain,
    &command_prune,
    &command_adopt_root,
    &command_restore,
    &command_tree,
    &command_allocations,
    &command_xml,
    &command_qemu_args,
    &command_check_config,
    &command_help,
    NULL,
};

void command_say(const char *text)
{
    fprintf(stderr, "%svgpu-agent: %s\n", log_journal_prefix(LOG_LEVEL_ERROR), text);
}

int command_fail(const struct error *err)
{
    command_say(err->text);
    return error_exit_status(err->code);
}

int command_look_at_host(const struct command_context *context, struct config **config,
                         struct host **host)
{
    if (settings_load(&context->settings, config) != 0)
        return EXIT_FAILURE;
    struct error err;
    if (host_look((*config)->agent.sysfs_root, (*config)->agent.state_file, host,
                  &err) != 0)
        return command_fail(&err);
    return EXIT_SUCCESS;
}
