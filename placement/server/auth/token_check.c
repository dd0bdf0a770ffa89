#include "placement/server/auth/token_check.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/json_read.h"
#include "lib/xalloc.h"
#include "placement/client/auth.h"
#include "placement/client/keystone.h"

struct token_checker {
    struct placement_config options; /* a shallow copy: the strings are borrowed */
    struct http *http;
    struct auth *auth; /* gets placementd's own token */
    char *url;
};

void token_facts_clear(struct token_facts *facts)
{
    identity_clear(&facts->identity);
    *facts = (struct token_facts){0};
}

int token_checker_new(const struct placement_config *options,
                      struct token_checker **out, struct error *err)
{
    _cleanup_(token_checker_freep) struct token_checker *checker =
        xcalloc(1, sizeof *checker);
    checker->options = *options;
    /* Requests go to Keystone itself, so no endpoint has to be found in the catalog. */
    checker->options.endpoint_override = options->auth_url;
    checker->http = http_new(&checker->options);
    if (keystone_tokens_url(&checker->options, &checker->url, err) != 0 ||
        auth_new(&checker->options, checker->http, &checker->auth, err) != 0)
        return error_prefix(err, "[keystone_authtoken]");
    *out = steal(checker);
    return 0;
}

void token_checker_free(struct token_checker *checker)
{
    if (checker->auth)
        auth_free(checker->auth);
    http_free(checker->http);
    free(checker->url);
    free(checker);
}

/* ---- understanding ---- */

/* The id of a member that is an object, such as token.user; NULL without one. */
static char *id_of(struct json_object *token, const char *name)
{
    const char *id = NULL;
    json_get_string_or_null(json_member(token, name), "id", &id, NULL);
    return xstrdup(id);
}

static char *roles_of(struct json_object *token)
{
    struct json_object *roles = json_member(token, "roles");
    _cleanup_strlist_ struct strlist names = {0};
    size_t count = json_object_is_type(roles, json_type_array)
                       ? json_object_array_length(roles)
                       : 0;
    for (size_t i = 0; i < count; i++) {
        const char *name;
        if (json_get_string(json_object_array_get_idx(roles, i), "name", &name, NULL) ==
            0)
            strlist_add(&names, name);
    }
    return strlist_join(&names, ",");
}

static bool is_restricted(struct json_object *token)
{
    return json_member(json_member(token, "application_credential"), "access_rules");
}

static bool is_outside_admin_project(struct json_object *token)
{
    struct json_object *is = json_member(token, "is_admin_project");
    return is && !json_object_get_boolean(is);
}

int token_facts_parse(const char *text, size_t length, struct token_facts *facts,
                      struct error *err)
{
    _cleanup_json_ struct json_object *json = NULL;
    struct keystone_token times;
    if (json_parse(text, length, &json, err) != 0 ||
        keystone_read_token(json, &times, err) != 0)
        return -1;
    struct json_object *token = json_member(json, "token");
    /* A restricted token is only good for certain paths of certain services. Which of
     * them mean this server could only be told by the catalog, which is not asked for.
     */
    if (is_restricted(token)) {
        facts->verdict = TOKEN_INVALID;
        return 0;
    }
    facts->verdict = TOKEN_VALID;
    facts->expires_at = times.expires_at;
    facts->identity = (struct identity){
        .user_id = id_of(token, "user"),
        .project_id = id_of(token, "project"),
        .domain_id = id_of(token, "domain"),
        .user_domain_id = id_of(json_member(token, "user"), "domain"),
        .project_domain_id = id_of(json_member(token, "project"), "domain"),
        .roles = roles_of(token),
        .system_scope =
            json_member(json_member(token, "system"), "all") ? xstrdup("all") : NULL,
        .outside_admin_project = is_outside_admin_project(token),
    };
    return 0;
}

/* ---- asking ---- */

static int ask(struct token_checker *checker, const char *subject,
               struct http_reply *reply, struct error *err)
{
    const char *const headers[] = {"Accept: application/json", subject, NULL};
    struct http_request request = {
        .method = "GET", .url = checker->url, .headers = headers};
    if (checker->auth->operations->authorize(checker->auth, &request, err) != 0)
        return -1;
    return http_perform(checker->http, &request, reply, err);
}

/* placementd's own token may have been revoked: then Keystone is asked once more, with
 * a new one. */
static int ask_twice(struct token_checker *checker, const char *subject,
                     struct http_reply *reply, struct error *err)
{
    if (ask(checker, subject, reply, err) != 0)
        return -1;
    if (reply->status != 401 || !checker->auth->operations->refused(checker->auth))
        return 0;
    http_reply_clear(reply);
    return ask(checker, subject, reply, err);
}

static int find_out(struct token_checker *checker, const char *subject,
                    struct token_facts *facts, struct error *err)
{
    _cleanup_reply_ struct http_reply reply = {0};
    if (ask_twice(checker, subject, &reply, err) != 0)
        return -1;
    if (reply.status == 404) {
        facts->verdict = TOKEN_INVALID;
        return 0;
    }
    if (reply.status != 200)
        return error_set(err, ERROR_UNREACHABLE,
                         "Keystone: GET %s: status %ld for our own credentials",
                         checker->url, reply.status);
    if (token_facts_parse(reply.body, reply.length, facts, err) != 0)
        return error_prefix(err, "Keystone: GET %s", checker->url);
    return 0;
}

void token_check(struct token_checker *checker, const char *token,
                 struct token_facts *facts, struct error *err)
{
    *facts = (struct token_facts){.verdict = TOKEN_UNKNOWN};
    if (auth_check_token(token, NULL) != 0) {
        facts->verdict = TOKEN_INVALID;
        return;
    }
    char *subject = xasprintf("X-Subject-Token: %s", token);
    if (find_out(checker, subject, facts, err) != 0)
        facts->verdict = TOKEN_UNKNOWN;
    keystone_secret_free(subject);
}
