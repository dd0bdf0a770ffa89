/*
 * settings: the configuration as the command line chooses it: which files are read, and
 * what the command line says goes before what they say. Commands and the daemon, which
 * reads them again at each reload, both stand on it.
 */
#ifndef AGENT_SETTINGS_H
#define AGENT_SETTINGS_H

#include "config/config.h"
#include "lib/log.h"

#define SETTINGS_DEFAULT_DIR "/etc/vgpu-agent"
#define SETTINGS_DEFAULT_CONFIG SETTINGS_DEFAULT_DIR "/vgpu-agent.conf"

/* The caller's; settings_clear() frees what the lists hold. */
struct settings {
    struct strlist config_files, config_dirs; /* empty: there are none */
    const char *sysfs_root; /* overrides the configuration; NULL when not given */
    bool log_level_given;   /* then this overrides the configuration's */
    enum log_level log_level;
};

/* Where the command line names no files: those of the daemon, where there are any. */
int settings_use_daemons_files(struct settings *settings, struct error *err);

/* Reads the configuration, for what looks at the host only: without any file, the
 * defaults serve. Logs every problem and sets the log's level; -1 when a problem is an
 * error. The caller frees with config_free(). */
int settings_load(const struct settings *settings, struct config **out);
/* The same for what talks to Placement: a file is needed, and all that [placement]'s
 * auth_type asks for. */
int settings_load_full(const struct settings *settings, struct config **out);
/* The same for those who ask what the running daemon does, which after an error goes on
 * with the options that it had: errors are logged, but what could be read serves, and
 * *faulty tells of them. -1 only when no file is named. */
int settings_load_faulty(const struct settings *settings, struct config **out,
                         bool *faulty);

/* A line each. */
void settings_log_problems(const struct config_problems *problems);

/* The files say something else than `config`, which was read from them; secrets are not
 * compared. Logs nothing. */
bool settings_differ(const struct settings *settings, const struct config *config);

void settings_clear(struct settings *settings);

#endif
