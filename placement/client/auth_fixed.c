#include "placement/client/auth.h"

#include <string.h>

#include "lib/xalloc.h"

/* Authentication that needs no other server: a fixed token or a password, with
 * Placement's URL from the configuration. */
static int authorize(struct auth *auth, struct http_request *request, struct error *err)
{
    (void)err;
    request->authorization = auth->header;
    return 0;
}

static int authorize_basic(struct auth *auth, struct http_request *request,
                           struct error *err)
{
    (void)err;
    request->username = auth->options->username;
    request->password = auth->options->password;
    return 0;
}

static int endpoint(struct auth *auth, const char **url, struct error *err)
{
    if (!auth->options->endpoint)
        return error_set(err, ERROR_INVALID,
                         "auth_type %s: neither endpoint_override nor endpoint is set",
                         auth->options->auth_type);
    *url = auth->options->endpoint;
    return 0;
}

static bool refused(struct auth *auth)
{
    (void)auth;
    return false;
}

static bool is_due(const struct auth *auth)
{
    (void)auth;
    return false;
}

static int64_t expires_at(const struct auth *auth)
{
    (void)auth;
    return 0;
}

static void release(struct auth *auth)
{
    free(auth);
}

static const struct auth_operations with_token = {authorize, endpoint,   refused,
                                                  is_due,    expires_at, release};
static const struct auth_operations with_password = {
    authorize_basic, endpoint, refused, is_due, expires_at, release};

static struct auth *make(const struct auth_operations *operations, const char *token)
{
    struct auth *auth = xcalloc(1, sizeof *auth);
    auth->operations = operations;
    auth_set_token(auth, token);
    return auth;
}

static int make_token(const char *token, struct auth **out, struct error *err)
{
    if (auth_check_token(token, err) != 0)
        return error_prefix(err, "token");
    *out = make(&with_token, token);
    return 0;
}

/* keystoneauth sends the token "notused" for `none`, too. */
int auth_none_new(const struct placement_config *options, struct auth **out,
                  struct error *err)
{
    (void)options;
    return make_token("notused", out, err);
}

/* For a Placement with auth_strategy = noauth2, which takes user and project from the
 * token itself. */
int auth_noauth_new(const struct placement_config *options, struct auth **out,
                    struct error *err)
{
    return make_token(options->token ? options->token : "admin", out, err);
}

int auth_admin_token_new(const struct placement_config *options, struct auth **out,
                         struct error *err)
{
    if (!options->token)
        return error_set(err, ERROR_INVALID, "token is not set");
    return make_token(options->token, out, err);
}

int auth_http_basic_new(const struct placement_config *options, struct auth **out,
                        struct error *err)
{
    if (!options->username || !options->password)
        return error_set(err, ERROR_INVALID, "username and password must both be set");
    *out = make(&with_password, NULL);
    return 0;
}
