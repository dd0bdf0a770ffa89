#include "config/placement_config.h"

#include <stdlib.h>
#include <string.h>

#include "lib/xalloc.h"

#define PLACEMENT(kind, name, help, ...)                                  \
    OPTION(kind, struct placement_config, "placement", #name, name, help, \
           .hyphens = true, ##__VA_ARGS__)
#define NAMES(...) ((const char *const[]){__VA_ARGS__, NULL})

static const struct option_section sections[] = {
    {.name = "placement",
     .help =
         "How to reach the Placement API, with the options that nova-compute has in "
         "the same section. `-` in a name is as good as `_`. The options that say who "
         "we are may also stand in another section, which auth_section names."},
};

static const struct option_spec auth_options[] = {
    PLACEMENT(STRING, auth_type,
              "How to authenticate. `password` (or `v3password`), "
              "`v3applicationcredential` and `v3token` (or `token`) ask Keystone for a "
              "token; `admin_token` always sends the option token; `http_basic` sends "
              "username and password; `none` and `noauth` ask no Keystone.",
              .choices =
                  NAMES("none", "noauth", "admin_token", "password", "v3password",
                        "v3applicationcredential", "token", "v3token", "http_basic"),
              .old_names = NAMES("auth_plugin"), .example = "password"),
    PLACEMENT(URL, endpoint,
              "The service's URL, for auth types without a catalog. These are `none`, "
              "`noauth`, `admin_token` and `http_basic`.",
              .old_names = NAMES("url"), .example = "http://127.0.0.1:8778"),
    PLACEMENT(STRING, token, "The token of `admin_token` and `v3token`.",
              .secret = true),
    PLACEMENT(URL, auth_url, "Keystone's URL.",
              .example = "https://controller.example:5000/v3"),
    PLACEMENT(STRING, username, "The user's name.", .old_names = NAMES("user_name"),
              .example = "placement"),
    PLACEMENT(STRING, user_id, "The user's id, in place of its name and domain."),
    PLACEMENT(STRING, user_domain_name, "The name of the domain that the user is in.",
              .example = "Default"),
    PLACEMENT(STRING, user_domain_id, "The id of the domain that the user is in."),
    PLACEMENT(STRING, password, "The user's password.", .secret = true),
    PLACEMENT(STRING, project_name, "The name of the project to act in.",
              .old_names = NAMES("tenant_name"), .example = "service"),
    PLACEMENT(STRING, project_id, "The id of the project to act in.",
              .old_names = NAMES("tenant_id")),
    PLACEMENT(STRING, project_domain_name,
              "The name of the domain that the project is in.", .example = "Default"),
    PLACEMENT(STRING, project_domain_id,
              "The id of the domain that the project is in."),
    PLACEMENT(STRING, default_domain_name,
              "The name of the domain of user and project where they name none."),
    PLACEMENT(STRING, default_domain_id,
              "The id of the domain of user and project where they name none."),
    PLACEMENT(STRING, domain_name,
              "The name of the domain to act in, in place of a project."),
    PLACEMENT(STRING, domain_id,
              "The id of the domain to act in, in place of a project."),
    PLACEMENT(STRING, system_scope, "Act on the system, in place of a project.",
              .choices = NAMES("all")),
    PLACEMENT(STRING, trust_id, "The trust to act under."),
    PLACEMENT(STRING, application_credential_id, "The application credential's id."),
    PLACEMENT(STRING, application_credential_name,
              "The application credential's name; then the user is needed too."),
    PLACEMENT(STRING, application_credential_secret,
              "The application credential's secret.", .secret = true),
};

static const struct option_spec session_options[] = {
    PLACEMENT(STRING, auth_section,
              "Another section that says who we are. All options from auth_type to "
              "application_credential_secret are then taken from there alone.",
              .example = "service_user"),
    PLACEMENT(
        PATH, cafile,
        "The certificates (PEM) of the authorities to trust. The system's own where "
        "not set.",
        .example = "/etc/ssl/certs/ca-certificates.crt"),
    PLACEMENT(PATH, certfile,
              "Our own certificate (PEM), for servers that ask for one."),
    PLACEMENT(PATH, keyfile, "The key (PEM) of our own certificate."),
    PLACEMENT(BOOL, insecure,
              "Do not check the server's certificate. Anybody can then pose as it.",
              .default_value = "false"),
    PLACEMENT(NUMBER, timeout, "Seconds that one request may take at most.",
              .old_names = NAMES("http_connect_timeout"), .default_value = "30",
              .minimum = 0.1, .maximum = 3600),
};

static const struct option_spec adapter_options[] = {
    PLACEMENT(URL, endpoint_override, "Use this URL, whatever the catalog says.",
              .example = "http://127.0.0.1:8778"),
    PLACEMENT(LIST, valid_interfaces,
              "Which of the catalog's endpoints to use, the best first.",
              .choices = NAMES("internal", "public", "admin"),
              .old_names = NAMES("interface"), .default_value = "internal, public"),
    PLACEMENT(STRING, region_name,
              "The region whose endpoint to use. Needed where the catalog has several.",
              .example = "RegionOne"),
    PLACEMENT(STRING, service_type, "The service's type in the catalog.",
              .default_value = "placement"),
    PLACEMENT(STRING, service_name,
              "The service's name in the catalog, where the type is not enough."),
    PLACEMENT(UNSIGNED, connect_retries,
              "How often to try again when a connection fails.", .default_value = "0",
              .maximum = 100),
    PLACEMENT(
        NUMBER, connect_retry_delay,
        "Seconds between two tries to connect. 0: half a second, doubled each time.",
        .default_value = "0", .maximum = 3600),
    PLACEMENT(UNSIGNED, status_code_retries,
              "How often to try again when the server answers 503.",
              .default_value = "0", .maximum = 100),
    PLACEMENT(
        NUMBER, status_code_retry_delay,
        "Seconds before trying again after a 503. 0: half a second, doubled each time.",
        .default_value = "0", .maximum = 3600),
};

/* Options of keystoneauth that have no effect here; `help` says why. */
static const struct option_spec options_without_effect[] = {
    {"placement", "collect_timing", .hyphens = true, .help = "nobody asks for timings"},
    {"placement", "split_loggers", .hyphens = true, .help = "there is one log"},
    {"placement", "version", .hyphens = true,
     .help = "Placement has one major version"},
    {"placement", "min_version", .hyphens = true,
     .help = "the microversion is agreed on with the server"},
    {"placement", "max_version", .hyphens = true,
     .help = "the microversion is agreed on with the server"},
};
static const struct option_table without_effect = {
    .options = options_without_effect,
    .option_count = OPTION_COUNT(options_without_effect),
};

const struct option_table placement_auth_options = {
    .sections = sections,
    .section_count = OPTION_COUNT(sections),
    .options = auth_options,
    .option_count = OPTION_COUNT(auth_options),
};

/* The table before describes the section of these two. */
const struct option_table placement_session_options = {
    .options = session_options,
    .option_count = OPTION_COUNT(session_options),
};

const struct option_table placement_adapter_options = {
    .options = adapter_options,
    .option_count = OPTION_COUNT(adapter_options),
};

/* Reports an auth_section that is in no file. It would have the credentials; without
 * this check each of them would be reported as missing. */
static void check_auth_section(const struct placement_config *config,
                               const struct ini *ini, const char *section,
                               struct config_problems *problems)
{
    for (size_t i = 0; i < ini->section_count; i++)
        if (strcasecmp(ini->sections[i].name, config->auth_section) == 0)
            return;
    const char *const sections_to_read[] = {section, NULL};
    const struct ini_entry *entry = options_entry(
        &placement_session_options, ini, "placement", "auth_section", sections_to_read);
    config_error(problems, entry ? &entry->place : NULL,
                 "%s.auth_section: there is no section [%s] in the files", section,
                 config->auth_section);
}

static void apply(const struct option_table *table, const struct ini *ini,
                  const char *const *section, struct placement_config *config,
                  struct config_problems *problems)
{
    options_apply(table, ini, section, config, problems);
    options_warn_repeated(table, ini, section, problems);
}

void placement_config_apply_session(struct placement_config *config,
                                    const struct ini *ini, const char *section,
                                    struct config_problems *problems)
{
    const char *sections_to_read[] = {section, NULL};
    placement_config_clear(config);
    config->section = xstrdup(section);
    apply(&placement_session_options, ini, sections_to_read, config, problems);
    if (config->auth_section) {
        check_auth_section(config, ini, section, problems);
        sections_to_read[0] = config->auth_section;
    }
    apply(&placement_auth_options, ini, sections_to_read, config, problems);
    const struct ini_entry *entry = options_entry(
        &placement_auth_options, ini, "placement", "auth_type", sections_to_read);
    if (entry && *entry->value)
        config->auth_place = config_place_copy(&entry->place);
}

void placement_config_apply(struct placement_config *config, const struct ini *ini,
                            const char *section, struct config_problems *problems)
{
    const char *const sections_to_read[] = {section, NULL};
    placement_config_apply_session(config, ini, section, problems);
    apply(&placement_adapter_options, ini, sections_to_read, config, problems);
}

static const struct option_table *const all_tables[] = {
    &placement_auth_options, &placement_session_options, &placement_adapter_options,
    NULL};

/* placementd has further options in a section of this name. So only a name that is
 * similar to one of ours gets a warning. */
static void warn_unknown(const struct ini_entry *entry,
                         struct config_problems *problems)
{
    for (size_t i = 0; all_tables[i]; i++)
        if (options_of_entry(all_tables[i], "placement", entry))
            return;
    _cleanup_free_ char *near = options_nearest(all_tables, "placement", entry->name);
    if (near)
        config_warning(problems, &entry->place,
                       "%s.%s: unknown option; did you mean %s?", entry->section,
                       entry->name, near);
}

static void warn_unused(const struct placement_config *config,
                        const struct ini_entry *entry, struct config_problems *problems)
{
    const struct option_spec *option =
        options_of_entry(&without_effect, "placement", entry);
    if (option)
        config_warning(problems, &entry->place, "%s.%s: not used: %s", entry->section,
                       entry->name, option->help);
    else if (config->auth_section &&
             config_has_error_of(problems, config->section, "auth_section"))
        return; /* that section does not exist, which is reported */
    else if (config->auth_section &&
             strcasecmp(config->auth_section, config->section) != 0 &&
             options_of_entry(&placement_auth_options, "placement", entry))
        config_warning(problems, &entry->place,
                       "%s.%s: not used: auth_section names [%s] in place of it",
                       entry->section, entry->name, config->auth_section);
    else
        warn_unknown(entry, problems);
}

void placement_config_warn(const struct placement_config *config, const struct ini *ini,
                           struct config_problems *problems)
{
    for (size_t i = 0; i < ini->entry_count; i++)
        if (strcasecmp(ini->entries[i].section, config->section) == 0)
            warn_unused(config, &ini->entries[i], problems);
}

void placement_config_clear(struct placement_config *config)
{
    options_clear(&placement_adapter_options, config);
    options_clear(&placement_auth_options, config);
    options_clear(&placement_session_options, config);
    free(config->section);
    config_place_clear(&config->auth_place);
    config->section = NULL;
}
