/* placementd: the command line; nothing else. */
#include <errno.h>
#include <getopt.h>
#include <libgen.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "config/placementd_options.h"
#include "config/render.h"
#include "lib/log.h"
#include "lib/nearest.h"
#include "lib/printable.h"
#include "lib/xalloc.h"
#include "placement/server/maintenance.h"
#include "placement/server/server.h"
#include "placement/server/transfer.h"

/* The unit's. */
#define DEFAULT_FILE "/etc/placementd/placementd.conf"

enum option_id {
    OPT_LISTEN = 256,
    OPT_DATABASE,
    OPT_AUTH,
    OPT_CERT,
    OPT_KEY,
    OPT_METRICS,
    OPT_CONFIG_FILE,
    OPT_CONFIG_DIR,
    OPT_ANYWHERE,
    OPT_NO_ACCESS_LOG,
    OPT_CHECK,
    OPT_BACKUP,
    OPT_EXPORT,
    OPT_IMPORT,
    OPT_DELETE,
    OPT_CONNECTIONS,
    OPT_VERSION,
    OPT_HELP,
};

static const struct option options[] = {
    {"listen", required_argument, NULL, OPT_LISTEN},
    {"database", required_argument, NULL, OPT_DATABASE},
    {"auth", required_argument, NULL, OPT_AUTH},
    {"cert", required_argument, NULL, OPT_CERT},
    {"key", required_argument, NULL, OPT_KEY},
    {"metrics-listen", required_argument, NULL, OPT_METRICS},
    {"config-file", required_argument, NULL, OPT_CONFIG_FILE},
    {"config-dir", required_argument, NULL, OPT_CONFIG_DIR},
    {"insecure-noauth-anywhere", no_argument, NULL, OPT_ANYWHERE},
    {"no-access-log", no_argument, NULL, OPT_NO_ACCESS_LOG},
    {"check", required_argument, NULL, OPT_CHECK},
    {"backup", required_argument, NULL, OPT_BACKUP},
    {"export", required_argument, NULL, OPT_EXPORT},
    {"import", required_argument, NULL, OPT_IMPORT},
    {"delete", no_argument, NULL, OPT_DELETE},
    {"connections", required_argument, NULL, OPT_CONNECTIONS},
    {"version", no_argument, NULL, OPT_VERSION},
    {"help", no_argument, NULL, OPT_HELP},
    {NULL, 0, NULL, 0},
};

static const char usage[] =
    "Usage: placementd [OPTION]...\n"
    "       placementd --check FILE\n"
    "       placementd [--database FILE] --backup NEW-FILE\n"
    "       placementd [--database FILE] [--delete] [--connections N] --export "
    "URL|FILE\n"
    "       placementd [--database FILE] [--delete] [--connections N] --import "
    "URL|FILE\n"
    "OpenStack's Placement API, versions 1.0 to 1.39, on an SQLite file.\n\n"
    "  --listen HOST:PORT   where to serve; port 0 lets the kernel choose\n"
    "  --database FILE      the database; made if it is not there\n"
    "  --auth STRATEGY      keystone, or noauth2: believe what the token says\n"
    "  --cert FILE, --key FILE\n"
    "                       serve HTTPS with this certificate and key (PEM)\n"
    "  --metrics-listen HOST:PORT\n"
    "                       where to serve /metrics, and a page for people at /\n"
    "  --config-file FILE   read this file; repeatable, later ones win\n"
    "  --config-dir DIR     read DIR/*.conf after the files\n"
    "  --insecure-noauth-anywhere\n"
    "                       let noauth2 listen beyond loopback\n"
    "  --no-access-log      do not write a line for each request\n"
    "  --check FILE         check a database, also while a server uses it\n"
    "  --backup NEW-FILE    copy the database, also while a server uses it\n"
    "  --export URL|FILE    bring all to another Placement, or to a file, and "
    "compare;\n"
    "                       [transfer] says who we are there\n"
    "  --import URL|FILE    bring all of another Placement, or of such a file, here\n"
    "  --delete             with these: also delete what an earlier run has brought "
    "and is\n"
    "                       gone since\n"
    "  --connections N      how many requests these have under way at once (4)\n"
    "  --version\n"
    "  -h, --help\n\n"
    "OS_SECTION__OPTION=VALUE in the environment wins over the files; where none is "
    "given,\n"
    "$OS_PLACEMENT_CONFIG_DIR/placement.conf is read, or, where that is not set and "
    "no\n"
    "--database is given, " DEFAULT_FILE ".\n\n";

struct arguments {
    struct strlist files, dirs;
    const char *listen, *database, *auth, *cert, *key, *metrics, *check, *backup,
        *export, *import, *connections;
    bool anywhere, no_access_log, delete;
};

static void complain(enum log_level level, const char *text)
{
    _cleanup_free_ char *shown = printable_copy(text);
    fprintf(stderr, "%splacementd: %s\n", log_journal_prefix(level), shown);
}

static int usage_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
static int usage_error(const char *format, ...)
{
    va_list list;
    va_start(list, format);
    _cleanup_free_ char *text = xvasprintf(format, list);
    va_end(list);
    complain(LOG_LEVEL_ERROR, text);
    return EX_USAGE;
}

static int unknown_option(const char *word)
{
    const char *names[OPTION_COUNT(options)];
    size_t count = 0;
    for (; options[count].name; count++)
        names[count] = options[count].name;
    if (optopt >= OPT_LISTEN)
        return usage_error("%s: this option takes no value", word);
    _cleanup_strlist_ struct strlist near = {0};
    _cleanup_free_ char *name =
        xstrndup(word, strcspn(word, "=")); /* with its hyphens */
    if (strncmp(word, "--", 2) == 0)
        nearest_names(name + 2, names, count, &near);
    if (near.count)
        return usage_error("there is no option %s; did you mean --%s?", name,
                           near.items[0]);
    return usage_error("there is no option %s; --help lists them", name);
}

static const char *name_of(int option)
{
    const struct option *entry = options;
    while (entry->val != option)
        entry++;
    return entry->name;
}

/* For options whose value is a file or a URL. */
static int take_place(const char **place, int option)
{
    if (!*optarg)
        return usage_error("--%s needs a value that is not empty", name_of(option));
    *place = optarg;
    return 0;
}

/* SQLite keeps a database of one of these names in memory, or elsewhere: nothing that is
 * acknowledged would be on disk. */
static int take_database(const char **place, int option)
{
    if (strcmp(optarg, ":memory:") == 0 || strncmp(optarg, "file:", 5) == 0)
        return usage_error("--%s: '%s' is no file to SQLite; ./%s is one",
                           name_of(option), optarg, optarg);
    return take_place(place, option);
}

/* 0: go on; -1: done, with success; else the exit status. */
static int take_option(struct arguments *arguments, int option, const char *word)
{
    switch (option) {
    case OPT_LISTEN:
        arguments->listen = optarg;
        return 0;
    case OPT_DATABASE:
        return take_database(&arguments->database, option);
    case OPT_AUTH:
        arguments->auth = optarg;
        return 0;
    case OPT_CERT:
        return take_place(&arguments->cert, option);
    case OPT_KEY:
        return take_place(&arguments->key, option);
    case OPT_METRICS:
        arguments->metrics = optarg;
        return 0;
    case OPT_CONFIG_FILE:
        strlist_add(&arguments->files, optarg);
        return 0;
    case OPT_CONFIG_DIR:
        strlist_add(&arguments->dirs, optarg);
        return 0;
    case OPT_ANYWHERE:
        arguments->anywhere = true;
        return 0;
    case OPT_NO_ACCESS_LOG:
        arguments->no_access_log = true;
        return 0;
    case OPT_CHECK:
        return take_database(&arguments->check, option);
    case OPT_BACKUP:
        return take_database(&arguments->backup, option);
    case OPT_EXPORT:
        return take_place(&arguments->export, option);
    case OPT_IMPORT:
        return take_place(&arguments->import, option);
    case OPT_DELETE:
        arguments->delete = true;
        return 0;
    case OPT_CONNECTIONS:
        arguments->connections = optarg;
        return 0;
    case OPT_VERSION:
        puts("placementd " VERSION);
        return -1;
    case OPT_HELP:
    case 'h':
        fputs(usage, stdout);
        render_help(stdout, &render_placementd);
        return -1;
    case ':':
        return usage_error("%s needs a value", word);
    default:
        return unknown_option(word);
    }
}

static int fail(const struct error *err)
{
    complain(LOG_LEVEL_ERROR, err->text);
    return error_exit_status(err->code);
}

/* What goes wrong at start is the configuration, or a file that it names. This exit
 * status tells systemd not to restart the service. */
static int fail_to_serve(const struct error *err)
{
    int status = fail(err);
    return err->code == ERROR_INVALID ? EX_CONFIG : status;
}

static void set_path(char **field, const char *path)
{
    if (!path)
        return;
    free(*field);
    *field = xstrdup(path);
}

/* The command line takes precedence over the files. */
static int override(struct placementd_config *config, const struct arguments *arguments,
                    struct error *err)
{
    const struct {
        const char *section, *name, *value, *from;
    } values[] = {
        {"placementd", "listen", arguments->listen, "--listen"},
        {"api", "auth_strategy", arguments->auth, "--auth"},
        {"placementd", "metrics_listen", arguments->metrics, "--metrics-listen"},
        {"placementd", "access_log", arguments->no_access_log ? "false" : NULL,
         "--no-access-log"},
    };
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        if (values[i].value &&
            options_override(&placementd_options, config, values[i].section,
                             values[i].name, values[i].value, values[i].from, err) != 0)
            return -1;
    set_path(&config->placementd.database, arguments->database);
    set_path(&config->placementd.cert, arguments->cert);
    set_path(&config->placementd.key, arguments->key);
    return 0;
}

static void print_problems(const struct config_problems *problems)
{
    for (size_t i = 0; i < problems->count; i++) {
        _cleanup_free_ char *text = config_problem_text(&problems->items[i]);
        complain(problems->items[i].warning ? LOG_LEVEL_WARNING : LOG_LEVEL_ERROR,
                 text);
    }
}

/* Adds the folders in which relative paths of the configuration are looked for, in the
 * order of precedence. */
static void add_places(const struct arguments *arguments, struct strlist *places)
{
    for (size_t i = arguments->dirs.count; i-- > 0;)
        strlist_add(places, arguments->dirs.items[i]);
    for (size_t i = arguments->files.count; i-- > 0;) {
        char *file = xstrdup(arguments->files.items[i]);
        strlist_add(places, dirname(file));
        free(file);
    }
}

static int serve(const struct placementd_config *config,
                 const struct arguments *arguments, struct error *err)
{
    _cleanup_strlist_ struct strlist places = {0};
    add_places(arguments, &places);
    const struct server_options server = {
        .config = config, .places = &places, .anywhere = arguments->anywhere};
    log_set_level(config->placementd.log_level);
    return server_run(&server, err);
}

static int backup(const struct placementd_config *config, const char *path,
                  struct error *err)
{
    _cleanup_free_ char *database = NULL;
    if (placementd_config_database(config, &database, err) != 0)
        return -1;
    return maintenance_back_up(database, path, err);
}

/* Differences end it with 1, though all went well. */
static int transfer(struct placementd_config *config, const struct arguments *arguments)
{
    struct transfer_options how = {.delete_departed = arguments->delete,
                                   .connections = TRANSFER_CONNECTIONS};
    bool same = false;
    struct error err;
    char end;
    if (arguments->connections &&
        (sscanf(arguments->connections, "%3u%c", &how.connections, &end) != 1 ||
         how.connections < 1 || how.connections > TRANSFER_MOST_CONNECTIONS))
        return usage_error("--connections: expected 1 to %d",
                           TRANSFER_MOST_CONNECTIONS);
    int rc = arguments->export
                 ? transfer_export(config, arguments->export, &how, &same, &err)
                 : transfer_import(config, arguments->import, &how, &same, &err);
    return rc != 0 ? fail(&err) : same ? 0 : 1;
}

static int configured(const struct arguments *arguments)
{
    struct placementd_config config = {0};
    struct config_problems problems = {0};
    struct error err;
    int rc =
        placementd_config_load(&arguments->files, &arguments->dirs, &config, &problems);
    print_problems(&problems);
    if (rc != 0) {
        rc = EX_CONFIG;
    } else if (override(&config, arguments, &err) != 0) {
        (void)fail(&err);
        rc = EX_USAGE;
    } else if (arguments->export || arguments->import) {
        rc = transfer(&config, arguments);
    } else if (arguments->backup) {
        rc = backup(&config, arguments->backup, &err) == 0 ? 0 : fail(&err);
    } else {
        rc = serve(&config, arguments, &err) == 0 ? 0 : fail_to_serve(&err);
    }
    config_problems_clear(&problems);
    placementd_config_clear(&config);
    return rc;
}

/* Where OpenStack Placement's own service looks when nothing else is said, and else where
 * the unit does. One who names a database has said all that is needed. */
static void add_default_file(struct arguments *arguments)
{
    const char *folder = getenv("OS_PLACEMENT_CONFIG_DIR");
    if (arguments->files.count > 0 || arguments->dirs.count > 0)
        return;
    if (folder && *folder)
        strlist_add_take(&arguments->files, xasprintf("%s/placement.conf", folder));
    else if (!arguments->database &&
             (access(DEFAULT_FILE, F_OK) == 0 || errno != ENOENT))
        strlist_add(&arguments->files, DEFAULT_FILE);
    else
        return;
    log_info("config", "reads %s", arguments->files.items[0]);
}

static int run(struct arguments *arguments)
{
    struct error err;
    if (!arguments->check) {
        add_default_file(arguments);
        return configured(arguments);
    }
    if (maintenance_check(arguments->check, &err) != 0)
        return fail(&err);
    printf("%s: no fault found\n", arguments->check);
    return 0;
}

int main(int argc, char **argv)
{
    struct arguments arguments = {0};
    int option, rc = 0;
    opterr = 0;
    while (rc == 0 && (option = getopt_long(argc, argv, ":h", options, NULL)) != -1)
        rc = take_option(&arguments, option, argv[optind - 1]);
    if (rc == 0 && optind < argc)
        rc = usage_error("%s: not an option; --help lists them", argv[optind]);
    if (rc == 0 && !!arguments.check + !!arguments.backup + !!arguments.export +
                           !!arguments.import >
                       1)
        rc = usage_error("only one of --check, --backup, --export and --import");
    if (rc == 0 && (arguments.delete || arguments.connections) && !arguments.export &&
        !arguments.import)
        rc = usage_error("%s is for --export and --import",
                         arguments.delete ? "--delete" : "--connections");
    if (rc == 0)
        rc = run(&arguments);
    strlist_clear(&arguments.files);
    strlist_clear(&arguments.dirs);
    return rc < 0 ? 0 : rc;
}
