/*
 * tokens: whom tokens belong to, as Keystone says, remembered for a while. What is not
 * known is asked in threads of its own, so that the loop goes on; when answers have
 * come, tokens_fd() is readable. Valid tokens are remembered until they expire or for
 * token_cache_time, invalid ones for token_cache_time; at most TOKENS_MAX valid and
 * TOKENS_REFUSED_MAX invalid ones, of each kind the oldest go first. Kept is a digest,
 * not the token. One that is longer than any of Keystone's is invalid. Clients that
 * wait for answers take turns by their address.
 *
 * All functions are for the loop's thread.
 */
#ifndef PLACEMENT_SERVER_AUTH_TOKENS_H
#define PLACEMENT_SERVER_AUTH_TOKENS_H

#include "placement/server/auth/token_check.h"

#define TOKENS_MAX 10000
#define TOKENS_REFUSED_MAX 1000

struct tokens;

struct tokens_options {
    const struct placement_config *keystone; /* borrowed */
    int cache_time;                          /* seconds; -1: ask every time */
};

int tokens_new(const struct tokens_options *options, struct tokens **out,
               struct error *err);
/* Waits for the threads, at most as long as a request to Keystone may take. */
void tokens_free(struct tokens *tokens);
DEFINE_CLEANUP(struct tokens *, tokens_free)

int tokens_fd(const struct tokens *tokens);

/* What is known of a token, borrowed until the next call. NULL: Keystone is being
 * asked; to be called again after tokens_collect(). `client` is the address of the
 * client, `now` is in seconds since 1970. */
const struct token_facts *tokens_find(struct tokens *tokens, const char *token,
                                      const char *client, int64_t now);

/* Takes the answers that have come. Each is an answer to all requests that wait for it
 * now, also one that has expired on its way (then the token is invalid). Where Keystone
 * could not be asked, the token is TOKEN_UNKNOWN for these, and later ones ask again. */
void tokens_collect(struct tokens *tokens, int64_t now);
/* From now on answers are forgotten when their time is over, at once those that were
 * only for waiting requests. To be called after these have been looked at again. */
void tokens_served(struct tokens *tokens);

#endif
