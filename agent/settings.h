/*
 * settings: the configuration that the command line selects: the files to read, and the
 * options that take precedence over them. Used by the commands, and by the daemon,
 * which reads the files again at each reload.
 */
#ifndef AGENT_SETTINGS_H
#define AGENT_SETTINGS_H

#include "config/config.h"
#include "lib/log.h"

#define SETTINGS_DEFAULT_DIR "/etc/vgpu-agent"
#define SETTINGS_DEFAULT_CONFIG SETTINGS_DEFAULT_DIR "/vgpu-agent.conf"

/* Owned by the caller; settings_clear() frees the lists. */
struct settings {
    struct strlist config_files, config_dirs; /* empty: the command line names none */
    const char *sysfs_root; /* overrides the configuration; NULL when not given */
    bool log_level_given;   /* log_level then overrides the configuration's */
    enum log_level log_level;
};

/* Where the command line names no files, takes the daemon's files, if there are any
 * (agent/default_files.h). */
int settings_use_daemons_files(struct settings *settings, struct error *err);

/* Reads the configuration for a command that looks only at the host: without any file
 * the defaults are used. Logs every problem and sets the log level; -1 when a problem
 * is an error. The caller frees with config_free(). */
int settings_load(const struct settings *settings, struct config **out);
/* Like settings_load(), for a first look at the host: logs nothing, and what could be
 * read is used. The caller may log the problems. */
struct config *settings_look(const struct settings *settings,
                             struct config_problems *problems);
/* Like settings_load(), for a command that sends requests to Placement: a file is
 * required, and all options that [placement] auth_type needs. */
int settings_load_full(const struct settings *settings, struct config **out);
/* Like settings_load_full(), for a command that asks what the running daemon does.
 * After an error the daemon keeps its old options, so errors are logged and set
 * *faulty, and what could be read is used. -1 only when no file is named. */
int settings_load_faulty(const struct settings *settings, struct config **out,
                         bool *faulty);

/* Puts the options of the command line, which take precedence over those of the files,
 * into the configuration. */
void settings_apply(const struct settings *settings, struct config *config);

/* Logs each problem on a line of its own. */
void settings_log_problems(const struct config_problems *problems);

/* Whether the files now say something other than `config`, which was read from them.
 * Secrets are not compared. Logs nothing. */
bool settings_differ(const struct settings *settings, const struct config *config);

void settings_clear(struct settings *settings);

#endif
