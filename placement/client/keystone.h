/*
 * keystone: the messages of Keystone's API v3 for authentication: the body of POST
 * /auth/tokens, and its reply. No I/O, no state.
 */
#ifndef PLACEMENT_CLIENT_KEYSTONE_H
#define PLACEMENT_CLIENT_KEYSTONE_H

#include <stdint.h>

#include "config/placement_config.h"
#include "lib/error.h"
#include "lib/json_read.h"

/* ---- requests ---- */

/* "http://host/identity/v3/auth/tokens" from auth_url with or without "/v3". INVALID
 * for a URL of the API's version 2. The caller frees. */
int keystone_tokens_url(const struct placement_config *options, char **out,
                        struct error *err);

/* The body of the request, by auth_type: password, token or application credential,
 * and the scope. It holds a secret: keystone_secret_free() it. INVALID when an option
 * is missing or two scopes are named. */
int keystone_request(const struct placement_config *options, char **out, size_t *length,
                     struct error *err);

/* Wipes the memory and frees it. NULL is allowed. */
void keystone_secret_free(char *secret);
DEFINE_CLEANUP(char *, keystone_secret_free)

/* ---- replies ---- */

struct keystone_token {
    int64_t expires_at; /* seconds since the epoch, by Keystone's clock */
    /* Seconds from issue to expiry, by Keystone's clock alone, so independent of
     * ours. */
    int64_t lifetime;
};

/* Reads a reply: {"token": {"issued_at", "expires_at", ...}}. */
int keystone_read_token(struct json_object *json, struct keystone_token *out,
                        struct error *err);

/* Finds the URL of the service in token.catalog: by service_type, service_name and
 * region_name, with the first of valid_interfaces that the service has. INVALID, with
 * what was searched for, when there is none. The caller frees. */
int keystone_read_endpoint(struct json_object *json,
                           const struct placement_config *options, char **out,
                           struct error *err);

/* Seconds after its issue at which a token is to be renewed: two minutes before it
 * expires, as keystoneauth does; for a token with a short lifetime, after half of
 * it. */
int64_t keystone_renew_after(const struct keystone_token *token);

#endif
