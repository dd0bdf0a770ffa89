#include "config/placement_check.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* What an auth type needs: one option of each group, "a|b" in words. */
struct need {
    const char *options;
    size_t offsets[3]; /* 0 at the end: no field of ours stands there but `section` */
};

#define AT(field) offsetof(struct placement_config, field)
static const struct need needs_endpoint[] = {
    {"endpoint_override or endpoint", {AT(endpoint_override), AT(endpoint)}},
    {NULL},
};
static const struct need needs_fixed_token[] = {
    {"endpoint_override or endpoint", {AT(endpoint_override), AT(endpoint)}},
    {"token", {AT(token)}},
    {NULL},
};
static const struct need needs_basic[] = {
    {"endpoint_override or endpoint", {AT(endpoint_override), AT(endpoint)}},
    {"username", {AT(username)}},
    {"password", {AT(password)}},
    {NULL},
};
static const struct need needs_password[] = {
    {"auth_url", {AT(auth_url)}},
    {"username or user_id", {AT(username), AT(user_id)}},
    {"password", {AT(password)}},
    {NULL},
};
static const struct need needs_credential[] = {
    {"auth_url", {AT(auth_url)}},
    {"application_credential_id or application_credential_name",
     {AT(application_credential_id), AT(application_credential_name)}},
    {"application_credential_secret", {AT(application_credential_secret)}},
    {NULL},
};
static const struct need needs_token[] = {
    {"auth_url", {AT(auth_url)}},
    {"token", {AT(token)}},
    {NULL},
};

static const struct {
    const char *auth_type;
    const struct need *needs;
} needs_of[] = {
    {"none", needs_endpoint},
    {"noauth", needs_endpoint},
    {"admin_token", needs_fixed_token},
    {"http_basic", needs_basic},
    {"password", needs_password},
    {"v3password", needs_password},
    {"v3applicationcredential", needs_credential},
    {"token", needs_token},
    {"v3token", needs_token},
};

static bool is_met(const struct placement_config *config, const struct need *need)
{
    for (const size_t *offset = need->offsets; *offset; offset++)
        if (*(char *const *)((const char *)config + *offset))
            return true;
    return false;
}

/* Whether the option is set, but its value was refused and reported. */
static bool is_refused(const char *section, const struct need *need,
                       const struct config_problems *problems)
{
    _cleanup_strlist_ struct strlist words = strlist_split(need->options, ' ');
    for (size_t i = 0; i < words.count; i++)
        if (config_has_error_of(problems, section, words.items[i]))
            return true;
    return false;
}

static void check_needs(const struct placement_config *config, const struct need *need,
                        struct config_problems *problems)
{
    const char *section = config->auth_section ? config->auth_section : config->section;
    for (; need->options; need++)
        if (!is_met(config, need) && !is_refused(section, need, problems))
            config_error(problems, &config->auth_place,
                         "%s.%s: not set; auth_type = %s needs it", section,
                         need->options, config->auth_type);
}

/* A name is unique only within a domain, or a user. */
static void check_names(const struct placement_config *config,
                        struct config_problems *problems)
{
    bool has_default = config->default_domain_id || config->default_domain_name;
    if (config->application_credential_name && !config->application_credential_id &&
        !config->username && !config->user_id)
        config_error(
            problems, &config->auth_place,
            "%s.username or user_id: not set; application_credential_name needs "
            "it",
            config->section);
    bool names_user = config->username && !config->user_id &&
                      (config->password || config->application_credential_name);
    if (names_user && !has_default && !config->user_domain_id &&
        !config->user_domain_name)
        config_error(
            problems, &config->auth_place,
            "%s.user_domain_name or user_domain_id: not set; username is unique "
            "only within a domain",
            config->section);
    if (config->project_name && !config->project_id && !has_default &&
        !config->project_domain_id && !config->project_domain_name)
        config_error(
            problems, &config->auth_place,
            "%s.project_domain_name or project_domain_id: not set; project_name "
            "is unique only within a domain",
            config->section);
}

bool placement_check_has_many_scopes(const struct placement_config *config)
{
    return (config->project_id || config->project_name) +
               (config->domain_id || config->domain_name) +
               (config->system_scope != NULL) + (config->trust_id != NULL) >
           1;
}

/* An application credential contains its scope. */
static void check_scope(const struct placement_config *config,
                        struct config_problems *problems)
{
    if (strcmp(config->auth_type, "v3applicationcredential") != 0 &&
        placement_check_has_many_scopes(config))
        config_error(problems, &config->auth_place,
                     "%s.project, domain, system_scope, trust_id: more than one scope; "
                     "set one of them",
                     config->section);
}

static void check_files(const struct placement_config *config,
                        struct config_problems *problems)
{
    const char *names[] = {"cafile", "certfile", "keyfile"};
    const char *paths[] = {config->cafile, config->certfile, config->keyfile};
    for (size_t i = 0; i < OPTION_COUNT(paths); i++)
        if (paths[i] && access(paths[i], R_OK) != 0)
            config_error(problems, NULL, "%s.%s: %s: %s", config->section, names[i],
                         paths[i], strerrordesc_np(errno));
    if (config->keyfile && !config->certfile)
        config_error(problems, NULL, "%s.certfile: not set, but keyfile is",
                     config->section);
}

void placement_check(const struct placement_config *config,
                     struct config_problems *problems)
{
    if (config_has_error_of(problems, config->section, "auth_section"))
        return;
    if (!config->auth_type) {
        if (config->auth_place.file) /* it is set, but was refused */
            return;
        _cleanup_free_ char *accepted =
            options_accepted(&placement_auth_options, "placement", "auth_type");
        config_error(problems, NULL, "%s.auth_type: not set; expected %s",
                     config->section, accepted);
        return;
    }
    for (size_t i = 0; i < OPTION_COUNT(needs_of); i++)
        if (strcmp(config->auth_type, needs_of[i].auth_type) == 0)
            check_needs(config, needs_of[i].needs, problems);
    if (config->auth_url) {
        check_names(config, problems);
        check_scope(config, problems);
    }
    check_files(config, problems);
}
