#include "agent/settings.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/default_files.h"
#include "lib/xalloc.h"

static void log_problems(const struct config_problems *problems)
{
    for (size_t i = 0; i < problems->count; i++) {
        _cleanup_free_ char *text = config_problem_text(&problems->items[i]);
        log_message(problems->items[i].warning ? LOG_LEVEL_WARNING : LOG_LEVEL_ERROR,
                    "config", "%s", text);
    }
}

/* What the command line says goes before what the files say. */
static void override(const struct settings *settings, struct config *config)
{
    if (settings->sysfs_root) {
        free(config->agent.sysfs_root);
        config->agent.sysfs_root = xstrdup(settings->sysfs_root);
    }
    if (settings->log_level_given)
        config->agent.log_level = settings->log_level;
    log_set_level(config->agent.log_level);
}

static int load(const struct settings *settings, bool for_placement,
                struct config **out)
{
    _cleanup_problems_ struct config_problems problems = {0};
    _cleanup_(config_freep) struct config *config = NULL;
    int rc = config_load(&settings->config_files, &settings->config_dirs, &config,
                         &problems);
    if (rc == 0 && for_placement)
        config_check_placement(config, &problems);
    log_problems(&problems);
    if (rc != 0 || config_has_errors(&problems))
        return -1;
    override(settings, config);
    *out = steal(config);
    return 0;
}

int settings_load(const struct settings *settings, struct config **out)
{
    return load(settings, false, out);
}

int settings_load_full(const struct settings *settings, struct config **out)
{
    if (settings->config_files.count == 0 && settings->config_dirs.count == 0) {
        log_error("config",
                  "there is no %s; name another with --config-file, such as "
                  "--config-file /etc/nova/nova.conf",
                  SETTINGS_DEFAULT_CONFIG);
        return -1;
    }
    return load(settings, true, out);
}

int settings_use_daemons_files(struct settings *settings, struct error *err)
{
    if (settings->config_files.count > 0 || settings->config_dirs.count > 0)
        return 0;
    if (command_files_read(COMMAND_FILES_DEFAULTS, &settings->config_files,
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
