#include "agent/command/command_line.h"

#include <getopt.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "agent/default_files.h"
#include "config/render.h"
#include "lib/nearest.h"
#include "lib/text_wrap.h"
#include "lib/xalloc.h"

enum option_id {
    OPTION_CONFIG_FILE = 256,
    OPTION_CONFIG_DIR,
    OPTION_SYSFS_ROOT,
    OPTION_LOG_LEVEL,
    OPTION_VERSION,
    /* the first of the command's own options, which follow in the order of its list */
    OPTION_OWN,
};
#define OPTION_FORMAT 'f'
#define OPTION_WIDE 'w'
#define OPTION_HELP 'h'

static const struct option options[] = {
    {"config-file", required_argument, NULL, OPTION_CONFIG_FILE},
    {"config-dir", required_argument, NULL, OPTION_CONFIG_DIR},
    {"sysfs-root", required_argument, NULL, OPTION_SYSFS_ROOT},
    {"format", required_argument, NULL, OPTION_FORMAT},
    {"wide", no_argument, NULL, OPTION_WIDE},
    {"log-level", required_argument, NULL, OPTION_LOG_LEVEL},
    {"version", no_argument, NULL, OPTION_VERSION},
    {"help", no_argument, NULL, OPTION_HELP},
};
#define OPTION_COUNT_OF_ALL (sizeof options / sizeof *options)
#define MOST_OPTIONS (OPTION_COUNT_OF_ALL + COMMAND_MOST_OPTIONS)

/* ---- help ---- */

static const char options_text[] =
    "Options, before the command or after it:\n"
    "  --config-file FILE   an INI file, such as /etc/nova/nova.conf; may be\n"
    "                       repeated, later ones win (without this and --config-dir:\n"
    "                       those of the daemon, as " COMMAND_FILES_DEFAULTS "\n"
    "                       names them, else --config-dir " SETTINGS_DEFAULT_DIR ")\n"
    "  --config-dir DIR     all of its *.conf, by name, after the files; may be\n"
    "                       repeated\n"
    "  --sysfs-root DIR     stands for /sys; overrides [agent] sysfs_root\n"
    "  -f, --format FORMAT  table (default) or json\n"
    "  -w, --wide           tables with all columns and full names, as json has them\n"
    "  --log-level LEVEL    error, warning, info (default) or debug\n"
    "  --version\n"
    "  -h, --help           with a command: what it does\n";

/* "restore [--wait SECONDS]"; NULL gives "COMMAND [ARGUMENT]". The caller frees. */
static char *synopsis(const struct command *command)
{
    if (!command)
        return xstrdup("COMMAND [ARGUMENT]");
    _cleanup_strlist_ struct strlist words = {0};
    strlist_add(&words, command->name);
    for (const struct command_option *o = command->options; o && o->name; o++)
        strlist_add_take(&words, xasprintf("[--%s%s%s]", o->name, o->value ? " " : "",
                                           o->value ? o->value : ""));
    if (command->argument)
        strlist_add_take(&words,
                         xasprintf(command->argument_may_be_left_out ? "[%s]" : "%s",
                                   command->argument));
    if (command->more_argument)
        strlist_add_take(&words, xasprintf("[%s]", command->more_argument));
    return strlist_join(&words, " ");
}

static void print_usage(const struct command *command, FILE *out)
{
    _cleanup_free_ char *words = synopsis(command);
    fprintf(out, "vgpu-agent [OPTION]... %s\n", words);
}

/* The column in which the summaries of the commands begin. */
#define SUMMARY_COLUMN 24

static void print_command(const struct command *command, FILE *out)
{
    _cleanup_free_ char *words = synopsis(command);
    _cleanup_free_ char *label = xasprintf("  %s", words);
    text_wrap_labelled(label, command->summary, SUMMARY_COLUMN, TABLE_WIDTH, out);
}

void command_line_help(FILE *out)
{
    fputs("Usage: ", out);
    print_usage(NULL, out);
    fputc('\n', out);
    fputs(options_text, out);
    fputs("\nCommands:\n", out);
    for (const struct command *const *c = commands; *c; c++)
        print_command(*c, out);
    fputc('\n', out);
    render_help(out, &render_vgpu_agent);
}

void command_line_help_of(const struct command *command, FILE *out)
{
    fputs("Usage: ", out);
    print_usage(command, out);
    _cleanup_free_ char *summary = xasprintf("%s: %s", command->name, command->summary);
    fputc('\n', out);
    text_wrap(summary, 0, TABLE_WIDTH, out);
    fputc('\n', out);
    for (const struct command_option *o = command->options; o && o->name; o++)
        fprintf(out, "  --%s%s%s  %s\n\n", o->name, o->value ? " " : "",
                o->value ? o->value : "", o->help);
    fputs(options_text, out);
    fputs("\nvgpu-agent(8) tells more.\n", out);
}

/* Printed when the command line is empty. */
static void print_short_usage(FILE *out)
{
    fputs("Usage: ", out);
    print_usage(NULL, out);
    _cleanup_strlist_ struct strlist names = {0};
    for (const struct command *const *c = commands; *c; c++)
        strlist_add(&names, (*c)->name);
    _cleanup_free_ char *text = strlist_join(&names, " ");
    text_wrap_labelled("Commands:", text, 10, TABLE_WIDTH, out);
    fputs("`vgpu-agent help` explains them, `vgpu-agent help COMMAND` one of them.\n",
          out);
}

/* ---- errors ---- */

static int usage_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
static int usage_error(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    _cleanup_free_ char *text = xvasprintf(format, args);
    va_end(args);
    command_say(text);
    return EX_USAGE;
}

/* ", did you mean X?" when a name is close to `word`, else `otherwise`. The caller
 * frees. */
static char *hint(const char *word, const char *const *names, size_t count,
                  const char *before, const char *otherwise)
{
    _cleanup_strlist_ struct strlist near = {0}, spelt = {0};
    nearest_names(word, names, count, &near);
    for (size_t i = 0; i < near.count; i++)
        strlist_add_take(&spelt, xasprintf("%s%s", before, near.items[i]));
    _cleanup_free_ char *meant = strlist_join(&spelt, " or ");
    return near.count ? xasprintf("; did you mean %s?", meant) : xstrdup(otherwise);
}

const struct command *command_line_find(const char *name)
{
    const char *names[64];
    size_t count = 0;
    for (; count < sizeof names / sizeof *names && commands[count]; count++) {
        if (strcmp(commands[count]->name, name) == 0)
            return commands[count];
        names[count] = commands[count]->name;
    }
    _cleanup_free_ char *near =
        hint(name, names, count, "", "; `vgpu-agent help` lists them");
    usage_error("there is no command %s%s", name, near);
    return NULL;
}

static int unknown_option(const char *word, const struct option *all)
{
    if (optopt >= OPTION_CONFIG_FILE || optopt == OPTION_HELP || optopt == OPTION_WIDE)
        return usage_error("%s: this option takes no value", word);
    if (optopt)
        return usage_error("there is no option -%c; there are -f FORMAT, -w and -h",
                           optopt);
    const char *names[MOST_OPTIONS];
    size_t count = 0;
    for (; all[count].name; count++)
        names[count] = all[count].name;
    _cleanup_free_ char *name = xstrndup(word + 2, strcspn(word + 2, "="));
    _cleanup_free_ char *near =
        hint(name, names, count, "--", "; `vgpu-agent --help` lists them");
    return usage_error("there is no option --%s%s", name, near);
}

/* ---- options ---- */

static int set_format(struct command_context *context, const char *name)
{
    if (strcmp(name, "table") == 0)
        context->format = context->format == FORMAT_WIDE ? FORMAT_WIDE : FORMAT_TABLE;
    else if (strcmp(name, "json") == 0)
        context->format = FORMAT_JSON;
    else
        return usage_error("--format %s: the formats are table and json", name);
    return 0;
}

static int set_log_level(struct settings *settings, const char *name)
{
    if (!log_level_parse(name, &settings->log_level))
        return usage_error(
            "--log-level %s: the levels are error, warning, info and debug", name);
    log_set_level(settings->log_level);
    settings->log_level_given = true;
    return 0;
}

static int missing_value(const struct command *command, const char *word)
{
    _cleanup_free_ char *words = synopsis(command);
    return usage_error("%s needs a value; usage: vgpu-agent [OPTION]... %s", word,
                       words);
}

struct parse {
    struct command_line *line;
    const struct command *command;       /* NULL: the options before the command */
    struct option all[MOST_OPTIONS + 1]; /* the options that are accepted here */
    bool help, version;
};

/* 0, or the exit status for a wrong option. */
static int take_option(struct parse *parse, int option, const char *word)
{
    struct command_context *context = &parse->line->context;
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
    case OPTION_WIDE:
        if (context->format != FORMAT_JSON)
            context->format = FORMAT_WIDE;
        return 0;
    case OPTION_LOG_LEVEL:
        return set_log_level(&context->settings, optarg);
    case OPTION_VERSION:
        parse->version = true;
        return 0;
    case OPTION_HELP:
        parse->help = true;
        return 0;
    case ':':
        return missing_value(parse->command, word);
    case '?':
        return unknown_option(word, parse->all);
    default:
        context->values[option - OPTION_OWN] = optarg ? optarg : "";
        return 0;
    }
}

/* Parses options up to the end, or with `order` "+" up to the first word that is no
 * option. */
static int take_options(struct parse *parse, const char *order, int argc, char **argv)
{
    _cleanup_free_ char *shorts = xasprintf("%s:f:wh", order);
    int option, rc = 0;
    opterr = 0;
    optind = 0; /* resets getopt_long() */
    while (rc == 0 &&
           (option = getopt_long(argc, argv, shorts, parse->all, NULL)) != -1)
        rc = take_option(parse, option, argv[optind - 1]);
    return rc;
}

/* Lists the options of all commands and those of `command`; `all` has room for
 * MOST_OPTIONS + 1. */
static void list_options(const struct command *command, struct option *all)
{
    size_t count = OPTION_COUNT_OF_ALL;
    memcpy(all, options, sizeof options);
    const struct command_option *own = command ? command->options : NULL;
    for (int i = 0; own && own[i].name; i++)
        all[count++] =
            (struct option){own[i].name, own[i].value ? required_argument : no_argument,
                            NULL, OPTION_OWN + i};
    all[count] = (struct option){0};
}

/* ---- the command ---- */

static int check_arguments(const struct command *command, int count)
{
    int words = command->argument ? 1 : 0;
    for (const char *p = command->argument; p && *p; p++) /* "TYPE GPU" */
        words += *p == ' ';
    int most = words + (command->more_argument != NULL);
    int least = command->argument_may_be_left_out ? 0 : words;
    if (count >= least && count <= most)
        return 0;
    fputs("vgpu-agent: usage: ", stderr);
    print_usage(command, stderr);
    return EX_USAGE;
}

/* Parses the options after the command, and checks how many arguments are left. */
static int take_command(struct parse *parse, const struct command *command, int argc,
                        char **argv)
{
    list_options(command, parse->all);
    parse->command = command;
    int rc = take_options(parse, "", argc, argv);
    if (rc != 0 || parse->help || parse->version)
        return rc;
    /* argv[0] of a command is its name. */
    char **arguments = argv + optind - 1;
    arguments[0] = argv[0];
    parse->line->argc = argc - optind + 1;
    parse->line->argv = arguments;
    parse->line->context.command = command->name;
    return check_arguments(command, parse->line->argc - 1);
}

static int parse_all(struct parse *parse, int argc, char **argv)
{
    list_options(NULL, parse->all);
    int rc = take_options(parse, "+", argc, argv);
    const struct command *command = NULL;
    if (rc == 0 && optind < argc) {
        command = command_line_find(argv[optind]);
        rc = command ? take_command(parse, command, argc - optind, argv + optind)
                     : EX_USAGE;
    } else if (rc == 0 && !parse->help && !parse->version) {
        print_short_usage(stderr);
        return EX_USAGE;
    }
    if (rc != 0)
        return rc;
    if (parse->version)
        puts("vgpu-agent " VERSION);
    else if (parse->help && command)
        command_line_help_of(command, stdout);
    else if (parse->help)
        command_line_help(stdout);
    else
        parse->line->command = command;
    return 0;
}

void command_line_parse(int argc, char **argv, struct command_line *line)
{
    *line = (struct command_line){
        .context = {.format = FORMAT_TABLE, .style = style_of(stdout)}};
    struct parse parse = {.line = line};
    line->status = parse_all(&parse, argc, argv);
}

void command_line_clear(struct command_line *line)
{
    settings_clear(&line->context.settings);
}
