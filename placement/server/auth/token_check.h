/*
 * token_check: asks Keystone whom a token belongs to: GET /v3/auth/tokens with our own
 * service credentials. It waits for the answer, so it runs in threads of its own
 * (tokens.h); each has a checker of its own.
 */
#ifndef PLACEMENT_SERVER_AUTH_TOKEN_CHECK_H
#define PLACEMENT_SERVER_AUTH_TOKEN_CHECK_H

#include <stdint.h>

#include "config/placement_config.h"
#include "lib/cleanup.h"
#include "lib/error.h"
#include "placement/server/message/identity.h"

enum token_verdict {
    TOKEN_VALID,
    TOKEN_INVALID, /* Keystone does not know it */
    TOKEN_UNKNOWN, /* Keystone could not be asked, or gave no usable answer */
};

struct token_facts {
    enum token_verdict verdict;
    struct identity identity; /* of a valid token */
    int64_t expires_at;       /* seconds since 1970 */
};

void token_facts_clear(struct token_facts *facts);
/* Reads Keystone's answer about a token. -1 when it makes no sense; `facts` is then
 * untouched. */
int token_facts_parse(const char *text, size_t length, struct token_facts *facts,
                      struct error *err);

struct token_checker;

/* `options` are borrowed as long as the checker lives. Sends nothing; INVALID where
 * options are missing. */
int token_checker_new(const struct placement_config *options,
                      struct token_checker **out, struct error *err);
void token_checker_free(struct token_checker *checker);
DEFINE_CLEANUP(struct token_checker *, token_checker_free)

/* Asks Keystone about `token` and fills `facts` in any case. With TOKEN_UNKNOWN, `err`
 * has the reason. */
void token_check(struct token_checker *checker, const char *token,
                 struct token_facts *facts, struct error *err);

#endif
