/*
 * auth: authenticates requests to Placement, and finds Placement's URL when the
 * configuration does not give it. Each way to authenticate is one struct of functions;
 * auth_new() makes the one that auth_type names. Secrets are wiped when they are freed,
 * and no message contains one. One thread; options and http are borrowed for the whole
 * life.
 */
#ifndef PLACEMENT_CLIENT_AUTH_H
#define PLACEMENT_CLIENT_AUTH_H

#include "placement/client/http.h"

struct auth {
    const struct auth_operations *operations;
    const struct placement_config *options;
    struct http *http;
    char *header;         /* "X-Auth-Token: ...": a secret. NULL: no token */
    int64_t (*now)(void); /* clock_boot_seconds(); tests set their own */
};

struct auth_operations {
    /* Fills in the request's authorization; what it points to stays valid until the
     * next call. May ask a server for a token. */
    int (*authorize)(struct auth *auth, struct http_request *request,
                     struct error *err);
    /* Gives Placement's URL, which stays valid until the next call. May ask a server
     * for a token and its catalog. */
    int (*endpoint)(struct auth *auth, const char **url, struct error *err);
    /* To be called after a 401. Drops the token that was refused. True when another try
     * may succeed. */
    bool (*refused)(struct auth *auth);
    /* Whether authorize() would ask a server for a token now. */
    bool (*is_due)(const struct auth *auth);
    /* When the token expires, in seconds since the epoch; 0 without one. */
    int64_t (*expires_at)(const struct auth *auth);
    void (*free)(struct auth *auth);
};

/* Makes the object for `options->auth_type`. INVALID when the type is unknown (the text
 * lists the known ones) or an option that it needs is missing. Sends nothing. */
int auth_new(const struct placement_config *options, struct http *http,
             struct auth **out, struct error *err);
void auth_free(struct auth *auth);
DEFINE_CLEANUP(struct auth *, auth_free)

/* Replaces our secrets in a text by stars, and also any part of them of eight
 * characters or more: a server's error message may quote what it was sent, and may cut
 * the quotation. */
void auth_redact(const struct auth *auth, char *text);

/* Replaces the token, whose memory is wiped. NULL: there is none from now on. */
void auth_set_token(struct auth *auth, const char *token);

/* Checks that a token is printable ASCII; other characters would break the header that
 * carries it. */
int auth_check_token(const char *token, struct error *err);

/* One function for each way to authenticate. Each checks the options that it needs. */
int auth_none_new(const struct placement_config *options, struct auth **out,
                  struct error *err);
int auth_noauth_new(const struct placement_config *options, struct auth **out,
                    struct error *err);
int auth_admin_token_new(const struct placement_config *options, struct auth **out,
                         struct error *err);
int auth_http_basic_new(const struct placement_config *options, struct auth **out,
                        struct error *err);
int auth_keystone_new(const struct placement_config *options, struct auth **out,
                      struct error *err);

#endif
