/*
 * command: the commands of `vgpu-agent`. Each is in agent/command/<name>.c, which
 * exports one const struct command; agent/command/command.c has the list of them;
 * agent/command/command_line.h parses the command line. A command prints its result to
 * standard output, and an error as one line to standard error. It returns the exit
 * status: 0 when it succeeded, 1 (or one of sysexits.h) when it failed, EX_USAGE
 * when it was called wrongly; `plan` alone also has 2.
 */
#ifndef AGENT_COMMAND_COMMAND_H
#define AGENT_COMMAND_COMMAND_H

#include "agent/desired/card_types.h"
#include "agent/host/host.h"
#include "agent/settings.h"
#include "lib/table.h"

#define COMMAND_MOST_OPTIONS 8

/* The command line except for the command's own arguments. */
struct command_context {
    const char *command; /* the name of the command */
    struct settings settings;
    enum output_format format;
    struct style style; /* of standard output; JSON has none */
    /* The values of the command's own options, in the order of its list; NULL: not
     * given; "": given, without a value. */
    const char *values[COMMAND_MOST_OPTIONS];
};

/* An option of a single command. */
struct command_option {
    const char *name;  /* "wait", for --wait; NULL at the end of a list */
    const char *value; /* "SECONDS"; NULL: it takes none */
    const char *help;
};

struct command {
    const char *name; /* "types" */
    /* What the argument is called, "GPU", or the arguments, "TYPE GPU"; NULL: it takes
     * none. */
    const char *argument;
    bool argument_may_be_left_out;
    const char *more_argument; /* a second one, which may be left out; NULL: none */
    const struct command_option *options; /* of this command alone; NULL: none */
    const char *summary;                  /* one line, for --help and the manual page */
    int (*run)(const struct command_context *context, int argc,
               char **argv); /* argv[0] is the command's name */
};

extern const struct command command_allocations, command_check_config, command_clean,
    command_create, command_devices, command_disable, command_drain, command_enable,
    command_gpus, command_help, command_nova_config, command_params, command_plan,
    command_preflight, command_prune, command_adopt_root, command_qemu_args,
    command_reload, command_remove, command_restore, command_run, command_status,
    command_sync, command_tree, command_types, command_undrain, command_watch,
    command_xml;

/* In the order of --help; NULL at the end. */
extern const struct command *const commands[];

/* Prints a line on standard output, in which control characters of names become '?'. A
 * negative number when that failed. */
int command_tell(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Prints the text on standard error, as a line with the program's name. */
void command_say(const char *text);
/* Prints the error as command_complain() does; gives the exit status that belongs to
 * it. */
int command_fail(const struct error *err);

/* A single look at the host below `sysfs_root`, completed with what the state file, if
 * it can be read, knows of the cards' types, and of which of them are not to go whole
 * yet. */
int command_see_host(const struct config *config, const char *sysfs_root,
                     struct host **host, struct error *err);
/* What to say of a card of which not all could be read, so that it may have devices that
 * were not seen; NULL: it was. The caller frees. */
char *command_unread(const struct gpu *gpu);
/* What operators have enabled and disabled at run time, for a command that has no agent.
 * The caller clears. */
int command_read_choices(const struct config *config, struct type_choices *choices,
                         struct error *err);
/* Reads the configuration of the settings and scans the host. 0, or the exit status; an
 * error was printed then. */
int command_look_at_host(const struct command_context *context, struct config **config,
                         struct host **host);

#endif
