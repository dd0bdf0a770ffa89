#include "agent/command/command.h"

#include <stdlib.h>
#include <string.h>

#include "agent/default_files.h"
#include "agent/host/reader.h"
#include "config/render.h"
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
    &command_restore,
    &command_tree,
    &command_allocations,
    &command_xml,
    &command_qemu_args,
    &command_check_config,
    NULL,
};

const struct command *command_find(const char *name)
{
    for (const struct command *const *c = commands; *c; c++)
        if (strcmp((*c)->name, name) == 0)
            return *c;
    return NULL;
}

static const char options_text[] =
    "Options, before the command:\n"
    "  --config-file FILE   an INI file, such as /etc/nova/nova.conf; may be repeated,"
    " later ones win\n"
    "                       (without --config-file and --config-dir: the daemon's, as"
    " " COMMAND_FILES_DEFAULTS "\n"
    "                       names them, else --config-dir " SETTINGS_DEFAULT_DIR ")\n"
    "  --config-dir DIR     all of its *.conf, by name, after the files; may be"
    " repeated\n"
    "  --sysfs-root DIR     stands for /sys; overrides [agent] sysfs_root\n"
    "  --format FORMAT      table (default) or json\n"
    "  --log-level LEVEL    error, warning, info (default) or debug\n"
    "  --version, --help\n";

void command_print_help(FILE *out)
{
    fputs("Usage: vgpu-agent [OPTION]... COMMAND [ARGUMENT]\n\n", out);
    fputs(options_text, out);
    fputs("\nCommands:\n", out);
    for (const struct command *const *c = commands; *c; c++)
        fprintf(out, "  %s %-*s %s\n", (*c)->name, 20 - (int)strlen((*c)->name),
                (*c)->arguments, (*c)->summary);
    fputc('\n', out);
    render_help(out, &render_vgpu_agent);
}

void command_complain(const char *text)
{
    fprintf(stderr, "%svgpu-agent: %s\n", log_journal_prefix(LOG_LEVEL_ERROR), text);
}

int command_fail(const struct error *err)
{
    command_complain(err->text);
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
