/*
 * command: the verbs of `vgpu-agent`. Each lives in agent/command/<verb>.c and exports one
 * const struct command; agent/command/command.c has the list of those that exist, and
 * agent/command/command_line.h takes the command line apart. A command prints its result to
 * standard output, and what went wrong as one line to standard error; it returns the
 * exit status: 0 done, 1 (or one of sysexits.h) failed, EX_USAGE called wrongly; `plan`
 * alone also has 2.
 */
#ifndef AGENT_COMMAND_COMMAND_H
#define AGENT_COMMAND_COMMAND_H

#include "agent/host/host.h"
#include "agent/settings.h"
#include "lib/table.h"

#define COMMAND_MOST_OPTIONS 8

/* The command line but for the command's own arguments. */
struct command_context {
    const char *command; /* that is to be run */
    struct settings settings;
    enum output_format format;
    /* Of the command's own options, in its order; NULL: not given; "": without value. */
    const char *values[COMMAND_MOST_OPTIONS];
};

/* An option of one command alone. */
struct command_option {
    const char *name;  /* "wait", for --wait; NULL at the end of a list */
    const char *value; /* "SECONDS"; NULL: it takes none */
    const char *help;
};

struct command {
    const char *name;     /* "types" */
    const char *argument; /* "GPU": what is called so follows; NULL: nothing does */
    bool argument_may_be_left_out;
    const struct command_option *options; /* of its own; NULL: none */
    const char *summary;                  /* one line of --help and of the manual */
    int (*run)(const struct command_context *context, int argc,
               char **argv); /* argv[0] is the name */
};

extern const struct command command_allocations, command_check_config, command_drain,
    command_gpus, command_help, command_plan, command_prune, command_adopt_root,
    command_qemu_args, command_reload, command_restore, command_run, command_status,
    command_sync, command_tree, command_types, command_undrain, command_xml;

/* The commands in the order of --help; NULL at the end. */
extern const struct command *const commands[];

/* Says on standard error what is wrong, as a line of its own. */
void command_complain(const char *text);
/* The same with the error's text; gives the exit status for it. */
int command_fail(const struct error *err);

/* Reads the configuration of the settings and host_scan() with it. 0, or the exit
 * status; what went wrong is said. */
int command_look_at_host(const struct command_context *context, struct config **config,
                         struct host **host);

#endif
