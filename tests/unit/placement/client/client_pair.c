#include "tests/unit/placement/client/client_pair.h"

#include <string.h>

#include "lib/xalloc.h"
#include "tests/unit/test.h"

void pair_open(struct pair *pair)
{
    *pair = (struct pair){.peer = peer_new()};
    pair->options = (struct placement_config){.auth_type = (char *)"noauth",
                                              .endpoint = (char *)peer_url(pair->peer)};
    assert_ok(placement_client_new(&pair->options, &pair->client, &pair->err),
              &pair->err);
    peer_ok(pair->peer, VERSIONS("1.0", "1.39"));
}

void pair_close(struct pair *pair)
{
    placement_client_free(pair->client);
    peer_free(pair->peer);
}

void assert_request(struct pair *pair, size_t index, const char *line)
{
    _cleanup_free_ char *got = peer_request_line(pair->peer, index);
    assert_string_equal(got, line);
}

void assert_body(struct pair *pair, size_t index, const char *body)
{
    const char *end = strstr(peer_request(pair->peer, index), "\r\n\r\n");
    assert_non_null(end);
    assert_string_equal(end + 4, body);
}

bool has_line(struct pair *pair, size_t index, const char *line)
{
    _cleanup_free_ char *wanted = xasprintf("\r\n%s\r\n", line);
    return strstr(peer_request(pair->peer, index), wanted) != NULL;
}

int pair_get_tree(struct pair *pair)
{
    struct provider *items = NULL;
    size_t count = 0;
    int rc = placement_get_tree(pair->client, UUID, &items, &count, &pair->err);
    providers_free(items, count);
    return rc;
}

char *without_url(const char *text, const char *url)
{
    const char *at = strstr(text, url);
    assert_non_null(at);
    return xasprintf("%.*s%s", (int)(at - text), text, at + strlen(url));
}

char *pair_text(const struct pair *pair)
{
    return without_url(pair->err.text, peer_url(pair->peer));
}
