#include "config/placementd_options.h"

#include <string.h>

#include "config/environment.h"
#include "config/ini_files.h"
#include "config/listen_address.h"
#include "lib/nearest.h"
#include "lib/xalloc.h"

#define IN(section, kind, name, help, ...)                                      \
    OPTION(kind, struct placementd_config, #section, #name, section.name, help, \
           ##__VA_ARGS__)
#define NAMES(...) ((const char *const[]){__VA_ARGS__, NULL})
#define NO_CONSUMER "00000000-0000-0000-0000-000000000000"

static const struct option_section sections[] = {
    {.name = "placementd", .ours = true, .help = "What placementd has of its own."},
    {.name = "api", .help = "As in OpenStack Placement."},
    {.name = "placement_database", .help = "As in OpenStack Placement, for SQLite."},
    {.name = "placement", .help = "As in OpenStack Placement."},
    {.name = "oslo_policy", .help = "Who may do what, as in oslo.policy."},
    {.name = "workarounds", .help = "As in OpenStack Placement."},
    {.name = "cors",
     .help = "Requests from web pages of other origins, as in oslo.middleware."},
    {.name = "keystone_authtoken",
     .help =
         "How tokens are validated at Keystone, with the options of "
         "keystonemiddleware. Needed for `auth_strategy = keystone`. Service tokens "
         "(X-Service-Token) are not looked at: a user's token that has expired is "
         "refused, whatever is beside it, and `service_token_roles` and "
         "`service_token_roles_required` are without effect."},
    {.name = "transfer",
     .help =
         "How to reach the other Placement of `--export` and `--import`, with the "
         "options that nova-compute has in [placement]. The URL of the command line "
         "wins over endpoint_override."},
};

static const struct option_spec options[] = {
    IN(placementd, ADDRESS, listen,
       "Where to serve the API: HOST:PORT, or a port alone, which means loopback.",
       .default_value = "127.0.0.1:8778"),
    IN(placementd, PATH, database,
       "The file of the database. Where not set, the one that "
       "[placement_database] connection names.",
       .example = "/var/lib/placementd/placement.db"),
    IN(placementd, PATH, cert,
       "The server's certificate (PEM), to serve HTTPS. Read again at SIGHUP.",
       .example = "/etc/placementd/cert.pem"),
    IN(placementd, PATH, key, "The key (PEM) of the certificate.",
       .example = "/etc/placementd/key.pem"),
    IN(placementd, ADDRESS, metrics_listen,
       "Where to serve /metrics, /status.json and a page for people at /. Where not "
       "set, nothing is served.",
       .example = "127.0.0.1:9191"),
    IN(placementd, PATH, log_file,
       "Where messages are written, opened again at SIGHUP. Where not set, standard "
       "error.",
       .example = "/var/log/placementd/placementd.log"),
    IN(placementd, CHOICE, log_level, "The least important messages that are written.",
       .choices = NAMES("error", "warning", "info", "debug"), .default_value = "info"),
    IN(placementd, BOOL, access_log, "Write a line for each request.",
       .default_value = "true"),
    IN(placementd, CHOICE, policy_release,
       "Whose built-in rules of who may do what hold. `2024.2`, and all later ones: "
       "the roles admin and service may do all but reshape, which is for the role "
       "service alone, with a token of any project, and with no other token. `2023.1`: "
       "the same rules, but the deprecated ones hold beside them (the role admin may "
       "reshape, which a nova-compute without the role service does at an upgrade), "
       "and "
       "the scope of a token is not looked at. `zed`: those of 8.0, in which the new "
       "rules want system scope.",
       .choices = NAMES("2023.1", "2024.2", "zed"), .default_value = "2023.1"),
    IN(placementd, CHOICE, behaviour_release,
       "Whose behaviour it has where releases differ and no microversion tells them "
       "apart. `2025.2`, and all later ones: where more is allocated on a provider "
       "than its capacity, a change of allocations that makes nothing worse passes, "
       "such as that with which a migration away from a provider that is all reserved "
       "begins. `zed`, and all before 2025.2: it is refused with 409.",
       .choices = NAMES("2025.2", "zed"), .default_value = "2025.2"),
    IN(placementd, UNSIGNED, max_body_size, "The largest body of a request, in bytes.",
       .default_value = "8388608", .minimum = 4096, .maximum = 1 << 30),
    IN(placementd, UNSIGNED, max_bodies_size,
       "The most that the bodies of all requests may have together, in bytes. Beyond "
       "it the largest that is not whole is given up, and answered with 503. Never "
       "less than max_body_size.",
       .default_value = "67108864", .minimum = 4096, .maximum = 1 << 30),
    IN(placementd, UNSIGNED, max_header_size,
       "The most that the request line and the headers may have, in bytes.",
       .default_value = "32768", .minimum = 4096, .maximum = 1 << 20),
    IN(placementd, NUMBER, max_request_time,
       "How many seconds of processor time one request may take. All others wait that "
       "long for it; what is not done by then is answered with 503.",
       .default_value = "2", .minimum = 0.001, .maximum = 3600),
    IN(placementd, UNSIGNED, max_reply_size,
       "The most that the reply to a GET may have, in bytes. A request that asks for "
       "more is answered with 503.",
       .default_value = "67108864", .minimum = 65536, .maximum = 1 << 30),
    IN(placementd, UNSIGNED, max_replies_size,
       "The most that all replies may have together that clients have not read yet, in "
       "bytes. Beyond it those are cut off that have had seconds to read the oldest "
       "ones; then, for a reply to another address, those of an address that has more "
       "than half of it. A large reply that still does not fit is 503. Never less than "
       "max_reply_size.",
       .default_value = "134217728", .minimum = 65536, .maximum = 1 << 30),
    IN(placementd, UNSIGNED, max_connections,
       "How many clients may be connected. Beyond it those are closed that have been "
       "idle longest.",
       .default_value = "1000", .minimum = 1, .maximum = 100000),
    IN(placementd, UNSIGNED, max_connections_per_address,
       "How many of them may come from one address, of IPv6 from one network of 64 "
       "bits. "
       "0: half of max_connections.",
       .default_value = "0", .maximum = 100000),
    IN(placementd, SECONDS, connection_timeout,
       "How long a connection may be silent before it is closed. The head of a request "
       "may take as long, but no more than 15 seconds; from one finished request to "
       "the next it may take twice that time.",
       .default_value = "60", .minimum = 1, .maximum = 86400),
    IN(placementd, CHOICE, allocation_order,
       "Which allocation candidates of a host come first, of which Nova takes the "
       "first "
       "that it can have. `upstream`: whatever is in use, as with OpenStack's "
       "Placement. `breadth-first`: those on the provider (the GPU) "
       "with the smallest part in use, so that guests are spread over the GPUs. "
       "`depth-first`: those with the largest, so that whole GPUs stay free. Which "
       "host "
       "is taken is Nova's choice. With randomize_allocation_candidates a request with "
       "a limit gets them at random.",
       .choices = NAMES("upstream", "breadth-first", "depth-first"),
       .default_value = "upstream"),
    IN(api, CHOICE, auth_strategy,
       "Who is believed to be who. `keystone` validates tokens. `noauth2` believes "
       "everybody, for tests and for one machine alone: the token `admin` is the "
       "administrator.",
       .choices = NAMES("keystone", "noauth2"),
       .old_names = NAMES("DEFAULT.auth_strategy"), .default_value = "keystone"),
    IN(placement_database, STRING, connection,
       "The database, as SQLAlchemy names it: `sqlite:///` and the absolute path of "
       "the file, four slashes in all.",
       .secret = true, .pattern = "^sqlite:////[^?]+$",
       .accepted = "sqlite:/// and an absolute path, as "
                   "sqlite:////var/lib/placementd/placement.db",
       .example = "sqlite:////var/lib/placementd/placement.db"),
    IN(placement, BOOL, randomize_allocation_candidates,
       "Give a random sample of the candidates when a request has a limit, in place of "
       "the first ones.",
       .default_value = "false"),
    IN(placement, CHOICE, allocation_candidates_generation_strategy,
       "In which order candidates are made when there are more than a limit allows. "
       "`depth-first`: all of one root before the next. `breadth-first`: in turn from "
       "all roots.",
       .choices = NAMES("depth-first", "breadth-first"),
       .default_value = "depth-first"),
    IN(placement, INT, max_allocation_candidates,
       "How many candidates are made for one request at most, so that no request takes "
       "all memory. -1: a million.",
       .default_value = "100000", .minimum = -1, .maximum = 0x7fffffff),
    IN(placement, STRING, incomplete_consumer_project_id,
       "The project of consumers that clients before microversion 1.8 do not name.",
       .default_value = NO_CONSUMER),
    IN(placement, STRING, incomplete_consumer_user_id,
       "The user of consumers that clients before microversion 1.8 do not name.",
       .default_value = NO_CONSUMER),
    IN(oslo_policy, STRING, policy_file,
       "Rules (YAML) in place of the built-in ones. A relative path is looked for in "
       "the folders of the configuration files and then in /etc/placement; "
       "`policy.yaml` may be missing.",
       .default_value = "policy.yaml"),
    IN(oslo_policy, LIST, policy_dirs,
       "Folders of more such files, which win over `policy_file`; those that are not "
       "there are left out.",
       .default_value = "policy.d"),
    IN(oslo_policy, BOOL, enforce_new_defaults,
       "Without the deprecated rules beside the built-in ones. Where not set, as in "
       "[placementd] policy_release: true from 2024.2 on, false before.",
       .example = "true"),
    IN(oslo_policy, BOOL, enforce_scope,
       "Refuse tokens whose scope a rule is not made for. Where not set, as in "
       "[placementd] policy_release: true from 2024.2 on, false before.",
       .example = "true"),
    IN(workarounds, BOOL, optimize_for_wide_provider_trees,
       "Accepted, and without effect: what it makes OpenStack Placement do, to give up "
       "a combination of providers at the first that has no room, placementd does for "
       "every request.",
       .default_value = "false"),
    IN(cors, LIST, allowed_origin,
       "The origins whose pages may use the API: `protocol://host[:port]`, no slash at "
       "the end.",
       .example = "https://horizon.example.com"),
    IN(cors, BOOL, allow_credentials, "Whether such pages may send credentials.",
       .default_value = "true"),
    IN(cors, LIST, expose_headers, "The headers of replies that such pages may read.",
       .default_value = "X-Auth-Token, X-Openstack-Request-Id, X-Subject-Token, "
                        "X-Service-Token, OpenStack-API-Version"),
    IN(cors, UNSIGNED, max_age,
       "How many seconds a browser may keep the answer to its question beforehand.",
       .default_value = "3600"),
    IN(cors, LIST, allow_methods, "The methods that such pages may use.",
       .default_value = "GET, PUT, POST, DELETE, PATCH"),
    IN(cors, LIST, allow_headers, "The headers that such pages may send.",
       .default_value = "X-Auth-Token, X-Openstack-Request-Id, X-Identity-Status, "
                        "X-Roles, X-Service-Catalog, X-User-Id, X-Tenant-Id, "
                        "OpenStack-API-Version"),
    IN(keystone_authtoken, URL, www_authenticate_uri,
       "Keystone's URL for clients, as a reply with 401 names it.",
       .old_names = NAMES("auth_uri"), .example = "https://controller.example:5000"),
    IN(keystone_authtoken, INT, token_cache_time,
       "How many seconds a validated token is believed without asking again. -1: "
       "always "
       "ask.",
       .default_value = "300", .minimum = -1, .maximum = 86400),
};

const struct option_table placementd_options = {
    .sections = sections,
    .section_count = OPTION_COUNT(sections),
    .options = options,
    .option_count = OPTION_COUNT(options),
};

/* oslo.policy changed both defaults in 4.4.0, which Placement wants since 2024.2. */
static void set_policy_defaults(struct placementd_config *config, const struct ini *ini)
{
    const bool enforce = config->placementd.policy_release == POLICY_RELEASE_2024_2;
    const struct {
        const char *name;
        bool *value;
    } values[] = {
        {"enforce_new_defaults", &config->oslo_policy.enforce_new_defaults},
        {"enforce_scope", &config->oslo_policy.enforce_scope},
    };
    for (size_t i = 0; i < OPTION_COUNT(values); i++) {
        const struct ini_entry *entry = options_entry(
            &placementd_options, ini, "oslo_policy", values[i].name, NULL);
        if (!entry || !*entry->value)
            *values[i].value = enforce;
    }
}

static void check_together(const struct placementd_config *config,
                           struct config_problems *problems)
{
    if (!config->placementd.cert != !config->placementd.key)
        config_error(problems, NULL,
                     "placementd.%s: not set, but %s is; HTTPS needs both",
                     config->placementd.cert ? "key" : "cert",
                     config->placementd.cert ? "cert" : "key");
}

/* As browsers write it: "https://host" or "https://host:8443"; "null" is that of a page
 * in a sandbox, "*" is any. */
static bool is_origin(const char *text)
{
    const char *host = strstr(text, "://");
    if (strcmp(text, "*") == 0 || strcmp(text, "null") == 0)
        return true;
    return host && host != text && host[3] && !strpbrk(text, "*@?# \t") &&
           !strchr(host + 3, '/');
}

static void check_origins(const struct placementd_config *config, const struct ini *ini,
                          struct config_problems *problems)
{
    const struct strlist *origins = &config->cors.allowed_origin;
    const struct ini_entry *entry =
        options_entry(&placementd_options, ini, "cors", "allowed_origin", NULL);
    for (size_t i = 0; i < origins->count; i++)
        if (!is_origin(origins->items[i]))
            config_warning(problems, entry ? &entry->place : NULL,
                           "cors.allowed_origin: '%s' is no page's origin; expected "
                           "protocol://host[:port] without a slash at the end",
                           origins->items[i]);
}

/* ---- spelling ---- */

static const struct option_section *section_of(const char *name)
{
    for (size_t i = 0; i < OPTION_COUNT(sections); i++)
        if (strcasecmp(sections[i].name, name) == 0)
            return &sections[i];
    return NULL;
}

static void check_headers(const struct ini *ini, struct config_problems *problems)
{
    const char *names[OPTION_COUNT(sections)];
    for (size_t i = 0; i < OPTION_COUNT(sections); i++)
        names[i] = sections[i].name;
    for (size_t i = 0; i < ini->section_count; i++) {
        const struct ini_section *section = &ini->sections[i];
        _cleanup_strlist_ struct strlist near = {0};
        if (!section_of(section->name))
            nearest_names(section->name, names, OPTION_COUNT(names), &near);
        if (near.count)
            config_warning(problems, &section->place,
                           "[%s]: not used; did you mean [%s]?", section->name,
                           near.items[0]);
    }
}

/* keystoneauth's options are accepted in [keystone_authtoken] and [transfer] only, beside
 * those of placementd_options. */
static const struct option_table *const keystone_tables[] = {
    &placement_auth_options, &placement_session_options, &placement_adapter_options,
    NULL};

/* Present and former options of keystonemiddleware's that are similar to one of
 * ours. */
static bool is_keystonemiddlewares(const char *name)
{
    static const char *const names[] = {"auth_version", "auth_host", "auth_port",
                                        "auth_protocol"};
    for (size_t i = 0; i < OPTION_COUNT(names); i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

static bool has_keystoneauth(const char *section)
{
    return strcmp(section, "keystone_authtoken") == 0 ||
           strcmp(section, "transfer") == 0;
}

static bool is_known(const struct ini_entry *entry, const char *section)
{
    if (options_of_entry(&placementd_options, section, entry))
        return true;
    bool keystone = has_keystoneauth(section);
    for (size_t i = 0; keystone && keystone_tables[i]; i++)
        if (options_of_entry(keystone_tables[i], "placement", entry))
            return true;
    return keystone && is_keystonemiddlewares(entry->name);
}

static char *nearest(const struct ini_entry *entry, const char *section)
{
    static const struct option_table *const own[] = {&placementd_options, NULL};
    char *near = options_nearest(own, section, entry->name);
    if (!near && has_keystoneauth(section))
        near = options_nearest(keystone_tables, "placement", entry->name);
    return near;
}

/* The section that has an option of that name; NULL: none has it. */
static const char *place_of(const struct ini_entry *entry)
{
    for (size_t i = 0; i < OPTION_COUNT(options); i++)
        if (strcmp(options[i].name, entry->name) == 0)
            return options[i].section;
    return NULL;
}

/* OpenStack's services have further options in these sections, so that only a name
 * similar to one of ours gets a warning. */
static void check_names(const struct ini *ini, struct config_problems *problems)
{
    for (size_t i = 0; i < ini->entry_count; i++) {
        const struct ini_entry *entry = &ini->entries[i];
        const struct option_section *section = section_of(entry->section);
        if (!section || is_known(entry, section->name))
            continue;
        const char *place = place_of(entry);
        _cleanup_free_ char *near = nearest(entry, section->name);
        if (place || near || section->ours)
            options_say_unknown(entry, place, near, false, problems);
    }
}

int placementd_config_load(const struct strlist *files, const struct strlist *dirs,
                           struct placementd_config *config,
                           struct config_problems *problems)
{
    _cleanup_ini_ struct ini ini = {0};
    ini_read_all(&ini, files, dirs, problems);
    environment_read(&ini, problems);
    options_apply(&placementd_options, &ini, NULL, config, problems);
    set_policy_defaults(config, &ini);
    placement_config_apply_session(&config->keystone, &ini, "keystone_authtoken",
                                   problems);
    placement_config_apply(&config->transfer, &ini, "transfer", problems);
    check_headers(&ini, problems);
    check_names(&ini, problems);
    options_warn_repeated(&placementd_options, &ini, NULL, problems);
    check_together(config, problems);
    check_origins(config, &ini, problems);
    return config_has_errors(problems) ? -1 : 0;
}

int placementd_config_database(const struct placementd_config *config, char **out,
                               struct error *err)
{
    static const char scheme[] = "sqlite:///";
    const char *connection = config->placement_database.connection;
    if (config->placementd.database)
        *out = xstrdup(config->placementd.database);
    else if (connection)
        *out = xstrdup(connection + strlen(scheme));
    else
        return error_set(
            err, ERROR_INVALID,
            "placementd.database: not set, and placement_database.connection "
            "neither; expected one of them");
    return 0;
}

void placementd_config_clear(struct placementd_config *config)
{
    options_clear(&placementd_options, config);
    placement_config_clear(&config->keystone);
    placement_config_clear(&config->transfer);
}
