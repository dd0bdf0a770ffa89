#include "agent/command/command.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/default_files.h"
#include "agent/host/reader.h"
#include "config/render.h"
#include "lib/log.h"
#include "lib/xalloc.h"

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
    "                       names them, else --config-dir " COMMAND_DEFAULT_DIR ")\n"
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

static void log_problems(const struct config_problems *problems)
{
    for (size_t i = 0; i < problems->count; i++) {
        _cleanup_free_ char *text = config_problem_text(&problems->items[i]);
        log_message(problems->items[i].warning ? LOG_LEVEL_WARNING : LOG_LEVEL_ERROR,
                    "config", "%s", text);
    }
}

/* What the command line says goes before what the files say. */
static void override(const struct command_context *context, struct config *config)
{
    if (context->sysfs_root) {
        free(config->agent.sysfs_root);
        config->agent.sysfs_root = xstrdup(context->sysfs_root);
    }
    if (context->log_level_given)
        config->agent.log_level = context->log_level;
    log_set_level(config->agent.log_level);
}

static int load(const struct command_context *context, bool for_placement,
                struct config **out)
{
    _cleanup_problems_ struct config_problems problems = {0};
    _cleanup_(config_freep) struct config *config = NULL;
    int rc =
        config_load(&context->config_files, &context->config_dirs, &config, &problems);
    if (rc == 0 && for_placement)
        config_check_placement(config, &problems);
    log_problems(&problems);
    if (rc != 0 || config_has_errors(&problems))
        return -1;
    override(context, config);
    *out = steal(config);
    return 0;
}

int command_load_config(const struct command_context *context, struct config **out)
{
    return load(context, false, out);
}

int command_look_at_host(const struct command_context *context, struct config **config,
                         struct host **host)
{
    if (command_load_config(context, config) != 0)
        return EXIT_FAILURE;
    struct error err;
    if (host_look((*config)->agent.sysfs_root, (*config)->agent.state_file, host,
                  &err) != 0)
        return command_fail(&err);
    return EXIT_SUCCESS;
}

int command_load_full_config(const struct command_context *context, struct config **out)
{
    if (context->config_files.count == 0 && context->config_dirs.count == 0) {
        log_error("config",
                  "there is no %s; name another with --config-file, such as "
                  "--config-file /etc/nova/nova.conf",
                  COMMAND_DEFAULT_CONFIG);
        return -1;
    }
    return load(context, true, out);
}

int command_use_daemons_files(struct command_context *context, struct error *err)
{
    if (context->config_files.count > 0 || context->config_dirs.count > 0)
        return 0;
    if (command_files_read(COMMAND_FILES_DEFAULTS, &context->config_files,
                           &context->config_dirs, err) != 0)
        return -1;
    if (context->config_files.count == 0 && context->config_dirs.count == 0 &&
        access(COMMAND_DEFAULT_DIR, F_OK) == 0)
        strlist_add(&context->config_dirs, COMMAND_DEFAULT_DIR);
    return 0;
}
