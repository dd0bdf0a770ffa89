#include "agent/command.h"

#include <string.h>

const struct command *const commands[] = {
    NULL,
};

const struct command *command_find(const char *name)
{
    for (const struct command *const *c = commands; *c; c++)
        if (strcmp((*c)->name, name) == 0)
            return *c;
    return NULL;
}

static const char options_text[] =
    "Options, before the command:\n"
    "  --config-file FILE   an INI file, such as /etc/nova/nova.conf; may be repeated,"
    " later ones win\n"
    "                       (without --config-file and "
    "--config-dir: " COMMAND_DEFAULT_CONFIG ")\n"
    "  --config-dir DIR     all of its *.conf, by name, after the files; may be"
    " repeated\n"
    "  --sysfs-root DIR     stands for /sys; overrides [agent] sysfs_root\n"
    "  --format FORMAT      table (default) or json\n"
    "  --log-level LEVEL    error, warning, info (default) or debug\n"
    "  --version, --help\n";

void command_print_help(FILE *out)
{
    fputs("Usage: vgpu-agent [OPTION]... COMMAND [ARGUMENT]\n\n", out);
    fputs(options_text, out);
    fputs("\nCommands:\n", out);
    for (const struct command *const *c = commands; *c; c++)
        fprintf(out, "  %s %-*s %s\n", (*c)->name, 20 - (int)strlen((*c)->name),
                (*c)->arguments, (*c)->summary);
}
