#include "agent/command/check_config.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "agent/command/check_host.h"
#include "agent/command/check_paths.h"
#include "agent/command/check_pci.h"
#include "agent/command/command.h"
#include "agent/command/preflight_host.h"
#include "agent/cycle.h"
#include "agent/default_files.h"
#include "agent/host/device_use.h"
#include "agent/host/sysfs.h"
#include "lib/xalloc.h"
#include "placement/client/client.h"

/* A type that the files do not give the card is no difference once it is disabled. */
static void check_choices(const struct config *config, const struct host *host,
                          struct config_problems *problems)
{
    _cleanup_(type_choices_clear) struct type_choices choices = {0};
    struct error err;
    if (config->agent.mode != MODE_OWNER)
        return;
    if (command_read_choices(config, &choices, &err) != 0)
        config_warning(problems, NULL,
                       "which types are enabled at run time cannot be read: %s",
                       err.text);
    check_host_choices(config, host, &choices, problems);
}

static void check_host(const struct command_context *context,
                       const struct config *config, struct config_problems *problems)
{
    const char *root = context->settings.sysfs_root ? context->settings.sysfs_root
                                                    : config->agent.sysfs_root;
    _cleanup_(host_freep) struct host *host = NULL;
    struct error err;
    if (command_see_host(config, root, &host, &err) != 0) {
        config_error(problems, NULL,
                     "agent.sysfs_root: the host cannot be looked at: %s", err.text);
        return;
    }
    check_host_types(config, host, problems);
    check_choices(config, host, problems);
    if (config_has_errors(problems))
        return;
    _cleanup_preflight_ struct preflight preflight =
        preflight_of_host(config, root, host);
    preflight_warn(&preflight, problems);
}

/* Without these folders the agent removes no device. The folder of running domains does
 * not exist before libvirt has run. */
static void check_libvirt(const struct config *config, struct config_problems *problems)
{
    const struct use_places places = use_places_of(config);
    _cleanup_close_ int root = folder_open(AT_FDCWD, places.root);
    if (places.defined && root >= 0 && faccessat(root, places.defined, F_OK, 0) != 0)
        config_warning(problems, NULL,
                       "agent.libvirt: %s%s is not there, so that no device would be "
                       "removed; expected libvirt_config_dir where it is elsewhere, or "
                       "libvirt = false on a host without libvirt",
                       *places.defined == '/' ? "" : "/", places.defined);
}

/* An option can be present and valid by itself, and yet not usable: so the client
 * checks [placement] as well. It sends no request. */
static void check_placement(const struct config *config,
                            struct config_problems *problems)
{
    _cleanup_(placement_client_freep) struct placement_client *client = NULL;
    struct error err;
    config_check_placement(config, problems);
    /* As it is where the package was just installed. */
    if (!config->has_placement &&
        config_has_error_of(problems, config->placement.section, "auth_type"))
        config_warning(problems, NULL,
                       "placement: beside Nova its nova.conf has it: `--config-file "
                       "/etc/nova/nova.conf` in VGPU_AGENT_OPTIONS of %s reads that, "
                       "for the daemon and commands",
                       COMMAND_FILES_DEFAULTS);
    if (!config_has_errors(problems) &&
        placement_client_new(&config->placement, &client, &err) != 0)
        config_error(problems, NULL, "%s", err.text);
}

struct config *check_config_problems(const struct command_context *context,
                                     struct config_problems *problems)
{
    _cleanup_strlist_ struct strlist files =
        strlist_copy(&context->settings.config_files);
    if (files.count == 0 && context->settings.config_dirs.count == 0)
        strlist_add(&files, SETTINGS_DEFAULT_CONFIG);
    struct config *config =
        config_read(&files, &context->settings.config_dirs, problems);
    /* Options may only seem to be missing when a file could not be read. */
    if (!config->incomplete)
        check_placement(config, problems);
    check_paths(config, problems);
    check_host(context, config, problems);
    if (!config_has_errors(problems))
        check_libvirt(config, problems);
    config_problems_sort(problems);
    return config;
}

/* ---- mode nova-pci: the cards, nova.conf and Placement must tell the same ---- */

static bool is_told(const struct plan *plan, const char *text)
{
    for (size_t i = 0; i < plan->problems.count; i++)
        if (strncmp(plan->problems.items[i], text, strlen(text)) == 0)
            return true;
    return false;
}

static void add_plan(const struct plan *plan, struct config_problems *problems)
{
    for (size_t i = 0; i < plan->problems.count; i++)
        config_error(problems, NULL, "%s", plan->problems.items[i]);
    for (size_t i = 0; i < plan->card_count; i++) {
        const struct pci_card *card = &plan->cards[i];
        _cleanup_free_ char *text =
            card->waits ? xasprintf("%s: %s", card->gpu, card->waits) : NULL;
        if (text && !is_told(plan, text))
            config_warning(problems, NULL, "%s", text);
    }
}

/* Without Placement the rest is compared all the same. */
static void compare(struct agent *agent, struct config_problems *problems)
{
    struct cycle cycle = {0};
    struct error err;
    bool whole = cycle_look(agent, agent_now(agent), true, &cycle, &err) == 0;
    if (!whole && cycle.round_count)
        config_warning(problems, NULL,
                       "Placement could not be asked, and is not compared: %s",
                       err.text);
    else if (!whole)
        config_error(problems, NULL, "%s", err.text);
    if (cycle.round_count) {
        const struct plan *plan = cycle_plan(&cycle);
        check_pci(agent->config, cycle.host, plan->cards, plan->card_count, problems);
        add_plan(plan, problems);
    }
    cycle_clear(&cycle);
}

static void compare_all(const struct command_context *context, struct config *config,
                        struct config_problems *problems)
{
    _cleanup_(agent_freep) struct agent *agent = NULL;
    _cleanup_free_ char *note = NULL;
    struct error err;
    if (config->agent.mode != MODE_NOVA_PCI || config_has_errors(problems))
        return;
    settings_apply(&context->settings, config);
    if (agent_new(config, AGENT_LOOKS, context->command, time(NULL), &agent, &note,
                  &err) == 0)
        compare(agent, problems);
    else
        config_error(problems, NULL, "%s", err.text);
    config_problems_sort(problems);
}

static int print_json(const struct config_problems *problems)
{
    static const struct table_column columns[] = {{.key = "file"},
                                                  {.key = "line"},
                                                  {.key = "level"},
                                                  {.key = "text"},
                                                  {.key = NULL}};
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

static size_t count_errors(const struct config_problems *problems)
{
    size_t errors = 0;
    for (size_t i = 0; i < problems->count; i++)
        errors += !problems->items[i].warning;
    return errors;
}

/* "ok", "ok; 1 warning", "2 errors, 1 warning" */
static int print_verdict(const struct config_problems *problems)
{
    size_t errors = count_errors(problems), warnings = problems->count - errors;
    _cleanup_free_ char *wrong =
        errors ? xasprintf("%zu error%s", errors, errors == 1 ? "" : "s")
               : xstrdup("ok");
    if (warnings == 0)
        return puts(wrong);
    return printf("%s%s %zu warning%s\n", wrong, errors ? "," : ";", warnings,
                  warnings == 1 ? "" : "s");
}

static int print_lines(const struct config *config,
                       const struct config_problems *problems)
{
    for (size_t i = 0; i < config->sources.count; i++)
        if (printf("read %s\n", config->sources.items[i]) < 0)
            return -1;
    for (size_t i = 0; i < problems->count; i++) {
        _cleanup_free_ char *text = config_problem_text(&problems->items[i]);
        if (command_tell("%s", text) < 0)
            return -1;
    }
    return print_verdict(problems) < 0 || fflush(stdout) != 0 ? -1 : 0;
}

static int run(const struct command_context *context, int argc, char **argv)
{
    (void)argc;
    (void)argv;
    _cleanup_problems_ struct config_problems problems = {0};
    _cleanup_(config_freep) struct config *config =
        check_config_problems(context, &problems);
    compare_all(context, config, &problems);
    int printed = context->format == FORMAT_JSON ? print_json(&problems)
                                                 : print_lines(config, &problems);
    return printed != 0 || config_has_errors(&problems) ? EXIT_FAILURE : EXIT_SUCCESS;
}

const struct command command_check_config = {
    .name = "check-config",
    .summary = "every problem of the configuration, with file and line",
    .run = run,
};
