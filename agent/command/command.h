/*
 * command: the verbs of `vgpu-agent`. Each lives in agent/command/<verb>.c and exports one
 * const struct command; agent/command/command.c has the list of those that exist, and
 * agent/main.c parses the global options and dispatches. A command prints its result to
 * standard output, and what went wrong as one line to standard error; it returns the
 * exit status: 0 done, 1 (or one of sysexits.h) failed, EX_USAGE called wrongly; `plan`
 * alone also has 2.
 */
#ifndef AGENT_COMMAND_COMMAND_H
#define AGENT_COMMAND_COMMAND_H

#include "agent/host/host.h"
#include "config/config.h"
#include "lib/table.h"

#define COMMAND_DEFAULT_DIR "/etc/vgpu-agent"
#define COMMAND_DEFAULT_CONFIG COMMAND_DEFAULT_DIR "/vgpu-agent.conf"

/* The command line but for the command's own arguments. */
struct command_context {
    const char *command;                      /* that is to be run */
    struct strlist config_files, config_dirs; /* empty: there are none */
    const char *sysfs_root; /* overrides the configuration; NULL when not given */
    enum output_format format;
    bool log_level_given; /* then this overrides the configuration's */
    enum log_level log_level;
};

struct command {
    const char *name;      /* "types" */
    const char *arguments; /* "[GPU]"; "" for none. Words in brackets may be left out;
                              main() checks the number, unless they are options, which
                              the command parses itself */
    const char *summary;   /* one line of --help and of the manual */
    int (*run)(const struct command_context *context, int argc,
               char **argv); /* argv[0] is the name */
};

extern const struct command command_allocations, command_check_config, command_drain,
    command_gpus, command_plan, command_prune, command_qemu_args, command_reload,
    command_restore, command_run, command_status, command_sync, command_tree,
    command_types, command_undrain, command_xml;

/* The commands in the order of --help; NULL at the end. */
extern const struct command *const commands[];

/* NULL when there is none of that name. */
const struct command *command_find(const char *name);

/* "Usage: ..." with options, commands and the configuration's options. */
void command_print_help(FILE *out);

/* Where the command line names no files: those of the daemon, where there are any. */
int command_use_daemons_files(struct command_context *context, struct error *err);

/* Says on standard error what is wrong, as a line of its own. */
void command_complain(const char *text);
/* The same with the error's text; gives the exit status for it. */
int command_fail(const struct error *err);

/* Reads the configuration of the context, for what looks at the host only: without any
 * file, the defaults serve. Logs every problem and sets the log's level; -1 when a
 * problem is an error. */
int command_load_config(const struct command_context *context, struct config **out);
/* The same, and host_scan() with it. 0, or the exit status; what went wrong is said. */
int command_look_at_host(const struct command_context *context, struct config **config,
                         struct host **host);
/* As command_load_config(), for what talks to Placement: a file is needed, and all that
 * [placement]'s auth_type asks for. */
int command_load_full_config(const struct command_context *context,
                             struct config **out);

#endif
