#include "agent/settings.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/default_files.h"
#include "lib/xalloc.h"

void settings_log_problems(const struct config_problems *problems)
{
    for (size_t i = 0; i < problems->count; i++) {
        _cleanup_free_ char *text = config_problem_log_text(&problems->items[i]);
        log_message(problems->items[i].warning ? LOG_LEVEL_WARNING : LOG_LEVEL_ERROR,
                    "config", "%s", text);
    }
}

void settings_apply(const struct settings *settings, struct config *config)
{
    if (settings->sysfs_root) {
        free(config->agent.sysfs_root);
        config->agent.sysfs_root = xstrdup(settings->sysfs_root);
    }
    if (settings->log_level_given)
        config->agent.log_level = settings->log_level;
    log_set_level(config->agent.log_level);
}

struct config *settings_look(const struct settings *settings,
                             struct config_problems *problems)
{
    struct config *config =
        config_read(&settings->config_files, &settings->config_dirs, problems);
    settings_apply(settings, config);
    return config;
}

/* Gives what could be read; *faulty: there were errors. */
static struct config *load(const struct settings *settings, bool for_placement,
                           bool *faulty)
{
    _cleanup_problems_ struct config_problems problems = {0};
    struct config *config =
        config_read(&settings->config_files, &settings->config_dirs, &problems);
    if (for_placement && !config_has_errors(&problems))
        config_check_placement(config, &problems);
    settings_log_problems(&problems);
    *faulty = config_has_errors(&problems);
    settings_apply(settings, config);
    return config;
}

static int load_without_errors(const struct settings *settings, bool for_placement,
                               struct config **out)
{
    bool faulty;
    _cleanup_(config_freep) struct config *config =
        load(settings, for_placement, &faulty);
    if (faulty)
        return -1;
    *out = steal(config);
    return 0;
}

int settings_load(const struct settings *settings, struct config **out)
{
    return load_without_errors(settings, false, out);
}

static int check_named(const struct settings *settings)
{
    if (settings->config_files.count > 0 || settings->config_dirs.count > 0)
        return 0;
    log_error("config",
              "there is no %s; name another with --config-file, such as "
              "--config-file /etc/nova/nova.conf",
              SETTINGS_DEFAULT_CONFIG);
    return -1;
}

int settings_load_full(const struct settings *settings, struct config **out)
{
    return check_named(settings) == 0 ? load_without_errors(settings, true, out) : -1;
}

int settings_load_faulty(const struct settings *settings, struct config **out,
                         bool *faulty)
{
    if (check_named(settings) != 0)
        return -1;
    *out = load(settings, true, faulty);
    return 0;
}

int settings_use_daemons_files(struct settings *settings, struct error *err)
{
    if (settings->config_files.count > 0 || settings->config_dirs.count > 0)
        return 0;
    if (default_files_read(COMMAND_FILES_DEFAULTS, &settings->config_files,
                           &settings->config_dirs, err) != 0)
        return -1;
    if (settings->config_files.count == 0 && settings->config_dirs.count == 0 &&
        access(SETTINGS_DEFAULT_DIR, F_OK) == 0)
        strlist_add(&settings->config_dirs, SETTINGS_DEFAULT_DIR);
    return 0;
}

bool settings_differ(const struct settings *settings, const struct config *config)
{
    _cleanup_problems_ struct config_problems problems = {0};
    _cleanup_(config_freep) struct config *now =
        config_read(&settings->config_files, &settings->config_dirs, &problems);
    return strcmp(now->digest, config->digest) != 0;
}

void settings_clear(struct settings *settings)
{
    strlist_clear(&settings->config_files);
    strlist_clear(&settings->config_dirs);
}
