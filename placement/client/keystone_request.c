#include <string.h>

#include "config/placement_check.h"
#include "lib/json_write.h"
#include "lib/xalloc.h"
#include "placement/client/keystone.h"

int keystone_tokens_url(const struct placement_config *options, char **out,
                        struct error *err)
{
    const char *url = options->auth_url;
    if (!url)
        return error_set(err, ERROR_INVALID, "auth_url is not set");
    size_t length = strlen(url);
    while (length && url[length - 1] == '/')
        length--;
    if (length >= 5 && memcmp(url + length - 5, "/v2.0", 5) == 0)
        return error_set(err, ERROR_INVALID,
                         "auth_url names version 2 of Keystone's API; expected 3");
    bool versioned = length >= 3 && memcmp(url + length - 3, "/v3", 3) == 0;
    /* Without the catalog the reply has a tenth of the size. */
    *out = xasprintf("%.*s%s/auth/tokens%s", (int)length, url, versioned ? "" : "/v3",
                     options->endpoint_override ? "?nocatalog" : "");
    return 0;
}

void keystone_secret_free(char *secret)
{
    if (secret)
        explicit_bzero(secret, strlen(secret));
    free(secret);
}

/* A user or project, by its id or by its name in a domain. */
struct named {
    const char *id, *name, *domain_id, *domain_name;
};

static struct named named_user(const struct placement_config *options)
{
    return (struct named){options->user_id, options->username,
                          options->user_domain_id ? options->user_domain_id
                                                  : options->default_domain_id,
                          options->user_domain_name ? options->user_domain_name
                                                    : options->default_domain_name};
}

static struct named named_project(const struct placement_config *options)
{
    return (struct named){options->project_id, options->project_name,
                          options->project_domain_id ? options->project_domain_id
                                                     : options->default_domain_id,
                          options->project_domain_name ? options->project_domain_name
                                                       : options->default_domain_name};
}

static void write_one(struct json_writer *w, const char *id, const char *name)
{
    json_write_string_member(w, id ? "id" : "name", id ? id : name);
}

/* Writes the members of an object that the caller has begun. */
static void write_named(struct json_writer *w, const struct named *what)
{
    write_one(w, what->id, what->name);
    if (what->id || (!what->domain_id && !what->domain_name))
        return;
    json_write_key(w, "domain");
    json_write_begin_object(w);
    write_one(w, what->domain_id, what->domain_name);
    json_write_end_object(w);
}

static int write_password(struct json_writer *w, const struct placement_config *options,
                          struct error *err)
{
    struct named user = named_user(options);
    if (!user.id && !user.name)
        return error_set(err, ERROR_INVALID, "neither username nor user_id is set");
    if (!options->password)
        return error_set(err, ERROR_INVALID, "password is not set");
    json_write_key(w, "user");
    json_write_begin_object(w);
    write_named(w, &user);
    json_write_string_member(w, "password", options->password);
    json_write_end_object(w);
    return 0;
}

static int write_token(struct json_writer *w, const struct placement_config *options,
                       struct error *err)
{
    if (!options->token)
        return error_set(err, ERROR_INVALID, "token is not set");
    json_write_string_member(w, "id", options->token);
    return 0;
}

static int write_credential(struct json_writer *w,
                            const struct placement_config *options, struct error *err)
{
    struct named user = named_user(options);
    if (!options->application_credential_secret)
        return error_set(err, ERROR_INVALID,
                         "application_credential_secret is not set");
    if (!options->application_credential_id &&
        (!options->application_credential_name || (!user.id && !user.name)))
        return error_set(err, ERROR_INVALID,
                         "neither application_credential_id is set nor "
                         "application_credential_name with a user");
    write_one(w, options->application_credential_id,
              options->application_credential_name);
    if (!options->application_credential_id) {
        json_write_key(w, "user");
        json_write_begin_object(w);
        write_named(w, &user);
        json_write_end_object(w);
    }
    json_write_string_member(w, "secret", options->application_credential_secret);
    return 0;
}

static const struct {
    const char *auth_type, *method;
    bool scoped; /* an application credential contains its scope and accepts no other */
    int (*write)(struct json_writer *w, const struct placement_config *options,
                 struct error *err);
} methods[] = {
    {"password", "password", true, write_password},
    {"v3password", "password", true, write_password},
    {"token", "token", true, write_token},
    {"v3token", "token", true, write_token},
    {"v3applicationcredential", "application_credential", false, write_credential},
};

static int check_scope(const struct placement_config *options, struct error *err)
{
    if (placement_check_has_many_scopes(options))
        return error_set(err, ERROR_INVALID,
                         "more than one scope: set a project, a domain, system_scope "
                         "or trust_id");
    return 0;
}

static void write_scope(struct json_writer *w, const struct placement_config *options)
{
    struct named project = named_project(options);
    const struct named domain = {options->domain_id, options->domain_name, NULL, NULL};
    const struct named trust = {options->trust_id, NULL, NULL, NULL};
    const struct {
        const char *key;
        const struct named *what;
    } scopes[] = {
        {"project", &project}, {"domain", &domain}, {"OS-TRUST:trust", &trust}};
    json_write_begin_object(w);
    for (size_t i = 0; i < sizeof scopes / sizeof *scopes; i++) {
        if (!scopes[i].what->id && !scopes[i].what->name)
            continue;
        json_write_key(w, scopes[i].key);
        json_write_begin_object(w);
        write_named(w, scopes[i].what);
        json_write_end_object(w);
    }
    if (options->system_scope) {
        json_write_key(w, "system");
        json_write_begin_object(w);
        json_write_bool_member(w, "all", true);
        json_write_end_object(w);
    }
    json_write_end_object(w);
}

static bool has_scope(const struct placement_config *options)
{
    return options->project_id || options->project_name || options->domain_id ||
           options->domain_name || options->system_scope || options->trust_id;
}

static int write_auth(struct json_writer *w, const struct placement_config *options,
                      size_t method, struct error *err)
{
    json_write_begin_object(w);
    json_write_key(w, "auth");
    json_write_begin_object(w);
    json_write_key(w, "identity");
    json_write_begin_object(w);
    json_write_key(w, "methods");
    json_write_begin_array(w);
    json_write_string(w, methods[method].method);
    json_write_end_array(w);
    json_write_key(w, methods[method].method);
    json_write_begin_object(w);
    if (methods[method].write(w, options, err) != 0)
        return -1;
    json_write_end_object(w);
    json_write_end_object(w);
    if (methods[method].scoped && has_scope(options)) {
        json_write_key(w, "scope");
        write_scope(w, options);
    }
    json_write_end_object(w);
    json_write_end_object(w);
    return 0;
}

/* The most that may be written, with each character escaped. The buffer is allocated
 * once: one that grew would leave copies of a secret in freed memory. */
static size_t room_for(const struct placement_config *options)
{
    const char *texts[] = {options->username,
                           options->user_id,
                           options->user_domain_id,
                           options->user_domain_name,
                           options->password,
                           options->token,
                           options->application_credential_id,
                           options->application_credential_name,
                           options->application_credential_secret,
                           options->project_id,
                           options->project_name,
                           options->project_domain_id,
                           options->project_domain_name,
                           options->domain_id,
                           options->domain_name,
                           options->default_domain_id,
                           options->default_domain_name,
                           options->trust_id};
    size_t room = 1024;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        room += texts[i] ? 6 * strlen(texts[i]) : 0;
    /* Twice the size, since the default domain may be written for both user and
     * project. */
    return 2 * room;
}

int keystone_request(const struct placement_config *options, char **out, size_t *length,
                     struct error *err)
{
    size_t method = 0, count = sizeof methods / sizeof *methods;
    while (method < count && strcmp(methods[method].auth_type, options->auth_type) != 0)
        method++;
    if (method == count)
        return error_set(err, ERROR_INVALID, "auth_type %s is none of Keystone's",
                         options->auth_type);
    if (methods[method].scoped && check_scope(options, err) != 0)
        return -1;
    size_t room = room_for(options);
    struct json_writer w = {0};
    buffer_reserve(&w.out, room);
    if (write_auth(&w, options, method, err) != 0) {
        json_writer_clear(&w);
        return -1;
    }
    *out = json_writer_take(&w, length);
    return 0;
}
