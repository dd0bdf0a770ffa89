/* vgpu-agent: the global options and the way to the commands; nothing else. */
#include <getopt.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/prctl.h>
#include <sysexits.h>

#include "agent/command/command.h"
#include "lib/log.h"
#include "lib/nearest.h"

enum option_id {
    OPTION_CONFIG_FILE = 256,
    OPTION_CONFIG_DIR,
    OPTION_SYSFS_ROOT,
    OPTION_FORMAT,
    OPTION_LOG_LEVEL,
    OPTION_VERSION,
    OPTION_HELP,
};

static const struct option options[] = {
    {"config-file", required_argument, NULL, OPTION_CONFIG_FILE},
    {"config-dir", required_argument, NULL, OPTION_CONFIG_DIR},
    {"sysfs-root", required_argument, NULL, OPTION_SYSFS_ROOT},
    {"format", required_argument, NULL, OPTION_FORMAT},
    {"log-level", required_argument, NULL, OPTION_LOG_LEVEL},
    {"version", no_argument, NULL, OPTION_VERSION},
    {"help", no_argument, NULL, OPTION_HELP},
    {NULL, 0, NULL, 0},
};

static int usage_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
static int usage_error(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fputs("vgpu-agent: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    return EX_USAGE;
}

static int set_format(struct command_context *context, const char *name)
{
    if (strcmp(name, "table") == 0)
        context->format = FORMAT_TABLE;
    else if (strcmp(name, "json") == 0)
        context->format = FORMAT_JSON;
    else
        return usage_error("--format %s: the formats are table and json", name);
    return 0;
}

static int set_log_level(struct command_context *context, const char *name)
{
    if (!log_level_parse(name, &context->settings.log_level))
        return usage_error(
            "--log-level %s: the levels are error, warning, info and debug", name);
    log_set_level(context->settings.log_level);
    context->settings.log_level_given = true;
    return 0;
}

/* 0: go on; -1: done, with success; else the exit status. */
static int take_option(struct command_context *context, int option)
{
    switch (option) {
    case OPTION_CONFIG_FILE:
        strlist_add(&context->settings.config_files, optarg);
        return 0;
    case OPTION_CONFIG_DIR:
        strlist_add(&context->settings.config_dirs, optarg);
        return 0;
    case OPTION_SYSFS_ROOT:
        context->settings.sysfs_root = optarg;
        return 0;
    case OPTION_FORMAT:
        return set_format(context, optarg);
    case OPTION_LOG_LEVEL:
        return set_log_level(context, optarg);
    case OPTION_VERSION:
        puts("vgpu-agent " VERSION);
        return -1;
    case OPTION_HELP:
        command_print_help(stdout);
        return -1;
    default: /* getopt_long has said what is wrong */
        return EX_USAGE;
    }
}

static int unknown_command(const char *name)
{
    const char *names[64];
    size_t count = 0;
    for (; count < sizeof names / sizeof *names && commands[count]; count++)
        names[count] = commands[count]->name;
    _cleanup_strlist_ struct strlist near = {0};
    nearest_names(name, names, count, &near);
    _cleanup_free_ char *meant = strlist_join(&near, " or ");
    if (near.count > 0)
        return usage_error("there is no command %s; did you mean %s?", name, meant);
    return usage_error("there is no command %s; --help lists them", name);
}

/* How many arguments "CONSUMER" or "[GPU]" takes. */
static void count_arguments(const char *arguments, int *least, int *most)
{
    *least = *most = 0;
    for (const char *p = arguments; *p; p += strspn(p, " ")) {
        *least += *p != '[';
        ++*most;
        p += strcspn(p, " ");
    }
}

static int dispatch(struct command_context *context, int argc, char **argv)
{
    struct error err;
    if (argc == 0) {
        command_print_help(stderr);
        return EX_USAGE;
    }
    const struct command *command = command_find(argv[0]);
    if (!command)
        return unknown_command(argv[0]);
    context->command = command->name;
    if (settings_use_daemons_files(&context->settings, &err) != 0)
        return command_fail(&err);
    if (strncmp(command->arguments, "[--", 3) == 0)
        return command->run(context, argc, argv);
    int least, most;
    count_arguments(command->arguments, &least, &most);
    if (argc - 1 < least || argc - 1 > most || (argc > 1 && argv[1][0] == '-'))
        return usage_error("usage: vgpu-agent [OPTION]... %s%s%s (options go before "
                           "the command)",
                           command->name, *command->arguments ? " " : "",
                           command->arguments);
    return command->run(context, argc, argv);
}

int main(int argc, char **argv)
{
    /* The configuration holds secrets: no core dumps, no looks from outside. */
    prctl(PR_SET_DUMPABLE, 0);
    signal(SIGPIPE, SIG_IGN);

    struct command_context context = {.format = FORMAT_TABLE};
    int option, rc = 0;
    /* "+": options end at the command. */
    while (rc == 0 && (option = getopt_long(argc, argv, "+", options, NULL)) != -1)
        rc = take_option(&context, option);
    if (rc == 0)
        rc = dispatch(&context, argc - optind, argv + optind);
    settings_clear(&context.settings);
    return rc < 0 ? 0 : rc;
}
