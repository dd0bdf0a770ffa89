#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "agent/backend/reader.h"
#include "agent/command/check_host.h"
#include "agent/command/command.h"
#include "agent/host/device_use.h"
#include "agent/host/sysfs.h"
#include "placement/client/client.h"

static void check_host(const struct command_context *context,
                       const struct config *config, struct config_problems *problems)
{
    const char *root = context->settings.sysfs_root ? context->settings.sysfs_root
                                                    : config->agent.sysfs_root;
    _cleanup_(host_freep) struct host *host = NULL;
    struct error err;
    if (host_look(root, config->agent.state_file, &host, &err) == 0)
        config_host_check(config, host, problems);
    else
        config_error(problems, NULL,
                     "agent.sysfs_root: the host cannot be looked at: %s", err.text);
}

/* Where they are absent no device is ever removed. That of running domains comes with
 * libvirt's first start. */
static void check_libvirt(const struct config *config, struct config_problems *problems)
{
    const struct use_places places = use_places_of(config);
    _cleanup_close_ int root = sysfs_open_folder(AT_FDCWD, places.root);
    if (places.defined && root >= 0 && faccessat(root, places.defined, F_OK, 0) != 0)
        config_warning(problems, NULL,
                       "agent.libvirt: %s%s is not there, so that no device would be "
                       "removed; expected libvirt_config_dir where it is elsewhere, or "
                       "libvirt = false on a host without libvirt",
                       *places.defined == '/' ? "" : "/", places.defined);
}

/* What is complete may still be no good: the client looks for itself, and sends
 * nothing. */
static void check_placement(const struct config *config,
                            struct config_problems *problems)
{
    _cleanup_(placement_client_freep) struct placement_client *client = NULL;
    struct error err;
    size_t before = problems->count;
    config_check_placement(config, problems);
    if (problems->count == before &&
        placement_client_new(&config->placement, &client, &err) != 0)
        config_error(problems, NULL, "%s", err.text);
}

static void find_problems(const struct command_context *context,
                          struct config_problems *problems)
{
    _cleanup_strlist_ struct strlist files =
        strlist_copy(&context->settings.config_files);
    if (files.count == 0 && context->settings.config_dirs.count == 0)
        strlist_add(&files, SETTINGS_DEFAULT_CONFIG);
    _cleanup_(config_freep) struct config *config =
        config_read(&files, &context->settings.config_dirs, problems);
    check_placement(config, problems);
    check_host(context, config, problems);
    check_libvirt(config, problems);
}

static int print_json(const struct config_problems *problems)
{
    static const char *const columns[] = {"file", "line", "level", "text", NULL};
    _cleanup_(table_freep) struct table *table = table_new(columns);
    for (size_t i = 0; i < problems->count; i++) {
        const struct config_problem *problem = &problems->items[i];
        table_string(table, problem->place.file);
        table_int(table, problem->place.line);
        table_string(table, problem->warning ? "warning" : "error");
        table_string(table, problem->text);
    }
    return table_print(table, FORMAT_JSON, stdout);
}

static int print_lines(const struct config_problems *problems)
{
    for (size_t i = 0; i < problems->count; i++) {
        _cleanup_free_ char *text = config_problem_text(&problems->items[i]);
        if (puts(text) < 0)
            return -1;
    }
    return 0;
}

static int run(const struct command_context *context, int argc, char **argv)
{
    (void)argc;
    (void)argv;
    _cleanup_problems_ struct config_problems problems = {0};
    find_problems(context, &problems);
    config_problems_sort(&problems);
    int printed =
        context->format == FORMAT_JSON ? print_json(&problems) : print_lines(&problems);
    return printed != 0 || config_has_errors(&problems) ? EXIT_FAILURE : EXIT_SUCCESS;
}

const struct command command_check_config = {
    .name = "check-config",
    .summary = "every problem of the configuration, with file and line",
    .run = run,
};
