/*
 * command: the verbs of `vgpu-agent`. Each lives in agent/cmd_<verb>.c and exports one
 * const struct command; agent/command.c has the list of those that exist, and
 * agent/main.c parses the global options and dispatches. A command prints its result to
 * standard output, and what went wrong as one line to standard error; it returns the
 * exit status: 0 done, 1 (or one of sysexits.h) failed, EX_USAGE called wrongly; `plan`
 * alone also has 2.
 */
#ifndef AGENT_COMMAND_H
#define AGENT_COMMAND_H

#include "config/config.h"
#include "lib/table.h"

#define COMMAND_DEFAULT_CONFIG "/etc/vgpu-agent/vgpu-agent.conf"

/* The global options, as given. */
struct command_context {
    struct strlist config_files, config_dirs; /* empty: the default file */
    const char *sysfs_root; /* overrides the configuration; NULL when not given */
    enum output_format format;
};

struct command {
    const char *name;      /* "types" */
    const char *arguments; /* "[GPU]"; "" for none. Words in brackets may be left out;
                              main() checks the number */
    const char *summary;   /* one line of --help and of the manual */
    int (*run)(const struct command_context *context, int argc,
               char **argv); /* argv[0] is the name */
};

extern const struct command command_allocations, command_check_config, command_gpus,
    command_plan, command_qemu_args, command_run, command_sync, command_tree,
    command_types, command_xml;

/* The commands in the order of --help; NULL at the end. */
extern const struct command *const commands[];

/* NULL when there is none of that name. */
const struct command *command_find(const char *name);

/* "Usage: ..." with options, commands and the configuration's options. */
void command_print_help(FILE *out);

/* Reads the configuration of the context. Prints every problem; -1 when one of them is
 * an error, or when no file was named and the default one is not there. */
int command_load_config(const struct command_context *context, struct config **out);

#endif
