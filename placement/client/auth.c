#include "placement/client/auth.h"

#include <string.h>

#include "lib/clock.h"
#include "lib/xalloc.h"

static const struct {
    const char *name;
    int (*make)(const struct placement_config *options, struct auth **out,
                struct error *err);
} types[] = {
    {"none", auth_none_new},
    {"noauth", auth_noauth_new},
    {"admin_token", auth_admin_token_new},
    {"http_basic", auth_http_basic_new},
    {"password", auth_keystone_new},
    {"v3password", auth_keystone_new},
    {"token", auth_keystone_new},
    {"v3token", auth_keystone_new},
    {"v3applicationcredential", auth_keystone_new},
};
#define TYPE_COUNT (sizeof types / sizeof *types)

static int unknown_type(const char *name, struct error *err)
{
    char known[256] = "";
    for (size_t i = 0; i < TYPE_COUNT; i++) {
        strncat(known, i ? ", " : "", sizeof known - strlen(known) - 1);
        strncat(known, types[i].name, sizeof known - strlen(known) - 1);
    }
    if (!name)
        return error_set(err, ERROR_INVALID, "auth_type is not set; supported: %s",
                         known);
    return error_set(err, ERROR_INVALID,
                     "auth_type '%.64s' is not supported; supported: %s", name, known);
}

int auth_new(const struct placement_config *options, struct http *http,
             struct auth **out, struct error *err)
{
    for (size_t i = 0; options->auth_type && i < TYPE_COUNT; i++) {
        if (strcmp(types[i].name, options->auth_type) != 0)
            continue;
        if (types[i].make(options, out, err) != 0)
            return error_prefix(err, "auth_type %s", options->auth_type);
        (*out)->options = options;
        (*out)->http = http;
        (*out)->now = clock_boot_seconds;
        return 0;
    }
    return unknown_type(options->auth_type, err);
}

int auth_check_token(const char *token, struct error *err)
{
    size_t length = strlen(token);
    for (size_t i = 0; i < length; i++)
        if (token[i] <= ' ' || token[i] > '~')
            return error_set(err, ERROR_INVALID,
                             "a character that no token has, at position %zu of it", i);
    if (length == 0)
        return error_set(err, ERROR_INVALID, "an empty token");
    return 0;
}

#define TOKEN_HEADER "X-Auth-Token: "

void auth_set_token(struct auth *auth, const char *token)
{
    if (auth->header)
        explicit_bzero(auth->header, strlen(auth->header));
    free(auth->header);
    auth->header = token ? xasprintf(TOKEN_HEADER "%s", token) : NULL;
}

/* A part of a secret of at least this many characters is hidden like the whole
 * secret. */
#define TELLING_PART 8

static size_t length_in_common(const char *a, const char *b)
{
    size_t length = 0;
    while (a[length] && a[length] == b[length])
        length++;
    return length;
}

/* The length of the longest part of the secret, from anywhere in it, that the text
 * begins with. */
static size_t part_of_secret(const char *text, const char *secret)
{
    size_t longest = 0;
    for (const char *p = secret; (p = strchr(p, *text)) && *p; p++) {
        size_t length = length_in_common(text, p);
        if (length > longest)
            longest = length;
    }
    return longest;
}

/* Replaces the secret and parts of it by stars: a server may have cut the text inside
 * the secret. */
static void hide(char *text, const char *secret)
{
    size_t least = secret ? strlen(secret) : 0;
    if (least > TELLING_PART)
        least = TELLING_PART;
    while (least && *text) {
        size_t length = part_of_secret(text, secret);
        if (length >= least)
            memset(text, '*', length);
        text += length >= least ? length : 1;
    }
}

void auth_redact(const struct auth *auth, char *text)
{
    hide(text, auth->options->password);
    hide(text, auth->options->application_credential_secret);
    hide(text, auth->options->token);
    if (auth->header)
        hide(text, auth->header + strlen(TOKEN_HEADER));
}

void auth_free(struct auth *auth)
{
    if (!auth)
        return;
    auth_set_token(auth, NULL);
    auth->operations->free(auth);
}
