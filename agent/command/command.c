#include "agent/command/command.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "agent/backend/reader.h"
#include "agent/state/awaited_cards.h"
#include "agent/state/known_types.h"
#include "agent/state/machine_id.h"
#include "agent/state/requests.h"
#include "lib/log.h"
#include "lib/printable.h"
#include "lib/xalloc.h"

const struct command *const commands[] = {
    &command_status,
    &command_watch,
    &command_gpus,
    &command_types,
    &command_devices,
    &command_create,
    &command_remove,
    &command_params,
    &command_plan,
    &command_sync,
    &command_run,
    &command_reload,
    &command_drain,
    &command_undrain,
    &command_enable,
    &command_disable,
    &command_clean,
    &command_prune,
    &command_adopt_root,
    &command_restore,
    &command_tree,
    &command_allocations,
    &command_xml,
    &command_qemu_args,
    &command_nova_config,
    &command_check_config,
    &command_preflight,
    &command_help,
    NULL,
};

int command_tell(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    _cleanup_free_ char *text = xvasprintf(format, args);
    va_end(args);
    text[printable_make(text, strlen(text))] = '\0';
    return puts(text);
}

void command_say(const char *text)
{
    _cleanup_free_ char *shown = printable_copy(text);
    fprintf(stderr, "%svgpu-agent: %s\n", log_journal_prefix(LOG_LEVEL_ERROR), shown);
}

int command_fail(const struct error *err)
{
    command_say(err->text);
    return error_exit_status(err->code);
}

int command_see_host(const struct config *config, const char *sysfs_root,
                     struct host **host, struct error *err)
{
    _cleanup_(journal_freep) struct journal *journal = NULL;
    _cleanup_free_ char *note = NULL;
    _cleanup_strlist_ struct strlist awaited = {0};
    char machine[UUID_TEXT_SIZE];
    const char *state_file = config->agent.state_file;
    machine_id_read(config->agent.host_root, machine);
    if (state_file && journal_look(state_file, machine, &journal, &note, NULL) == 0)
        awaited = awaited_cards(journal, config);
    if (host_look(sysfs_root, config, &awaited, state_file, host, err) != 0)
        return -1;
    if (!journal)
        return 0;
    (void)known_types_note(journal, *host);
    known_types_put(journal, *host);
    return 0;
}

int command_read_choices(const struct config *config, struct type_choices *choices,
                         struct error *err)
{
    const char *state_file = config->agent.state_file;
    return requests_read(state_file, REQUEST_ENABLED, &choices->enabled, err) != 0
               ? -1
               : requests_read(state_file, REQUEST_DISABLED, &choices->disabled, err);
}

char *command_unread(const struct gpu *gpu)
{
    return gpu->health == GPU_UNREADABLE
               ? xasprintf("which devices the GPU %s has is not known: it is %s: %s",
                           gpu->name, gpu_health_name(gpu->health), gpu->health_reason)
               : NULL;
}

int command_look_at_host(const struct command_context *context, struct config **config,
                         struct host **host)
{
    if (settings_load(&context->settings, config) != 0)
        return EX_CONFIG;
    struct error err;
    if (command_see_host(*config, (*config)->agent.sysfs_root, host, &err) != 0)
        return command_fail(&err);
    return EXIT_SUCCESS;
}
