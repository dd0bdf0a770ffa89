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
/* Waits for the threads: at most for the timeout of a request. */
void tokens_free(struct tokens *tokens);
DEFINE_CLEANUP(struct tokens *, tokens_free)

int tokens_fd(const struct tokens *tokens);

/* What is known, borrowed until the next call; NULL: it is being asked, come again
 * after tokens_collect(). `client` is the asker's address, `now` is in seconds since
 * 1970. */
const struct token_facts *tokens_find(struct tokens *tokens, const char *token,
                                      const char *client, int64_t now);

/* Takes in the answers that have come. What could not be asked is TOKEN_UNKNOWN for the
 * requests that wait for it now, and is asked again for later ones. */
void tokens_collect(struct tokens *tokens, int64_t now);
/* Forgets what was only for those that waited: to be called when they have come again.
 */
void tokens_served(struct tokens *tokens);

#endif
