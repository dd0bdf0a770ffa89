/*
 * client_pair: a Placement client and a scripted peer that it talks to, for the tests
 * of the client. The peer's first answer, to the question for the version, is queued.
 */
#ifndef TESTS_UNIT_PLACEMENT_CLIENT_CLIENT_PAIR_H
#define TESTS_UNIT_PLACEMENT_CLIENT_CLIENT_PAIR_H

#include "placement/client/client.h"
#include "tests/unit/peer.h"

#define UUID "aaaaaaaa-0000-4000-8000-000000000001"
#define VERSIONS(least, latest)                                    \
    "{\"versions\": [{\"id\": \"v1.0\", \"min_version\": \"" least \
    "\", \"max_version\": \"" latest "\", \"status\": \"CURRENT\"}]}"
#define NO_PROVIDERS "{\"resource_providers\": []}"

struct pair {
    struct peer *peer;
    struct placement_config options;
    struct placement_client *client;
    struct error err;
};

/* auth_type is noauth. */
void pair_open(struct pair *pair);
void pair_close(struct pair *pair);
#define _cleanup_pair_ _cleanup_(pair_close)

/* GET of a tree; what it gives is dropped. */
int pair_get_tree(struct pair *pair);

/* What the error says, without the peer's URL. The caller frees. */
char *pair_text(const struct pair *pair);
/* `text` without `url`. The caller frees. */
char *without_url(const char *text, const char *url);

/* What the request of that index was, without the HTTP version. */
void assert_request(struct pair *pair, size_t index, const char *line);
void assert_body(struct pair *pair, size_t index, const char *body);
bool has_line(struct pair *pair, size_t index, const char *line);

#endif
