#include "tests/unit/test.h"

#include <stdlib.h>
#include <string.h>

#include "lib/xalloc.h"
#include "placement/client/auth.h"
#include "placement/client/client.h"
#include "placement/client/hint.h"
#include "tests/unit/peer.h"

#define S(text) ((char *)(text))

static int64_t clock_now;

static int64_t fake_clock(void)
{
    return clock_now;
}

struct rig {
    struct peer *peer; /* Keystone below /identity, Placement below /placement */
    char *auth_url, *placement_url;
    struct placement_config options;
    struct placement_client *client;
    struct http *http;
    struct auth *auth;
    struct error err;
};

static void rig_open(struct rig *rig)
{
    *rig = (struct rig){.peer = peer_new()};
    rig->auth_url = xasprintf("%s/identity", peer_url(rig->peer));
    rig->placement_url = xasprintf("%s/placement", peer_url(rig->peer));
    rig->options = (struct placement_config){.auth_type = S("password"),
                                             .auth_url = rig->auth_url,
                                             .username = S("agent"),
                                             .password = S("hunter2"),
                                             .user_domain_id = S("default"),
                                             .project_name = S("service"),
                                             .project_domain_id = S("default")};
    assert_ok(placement_client_new(&rig->options, &rig->client, &rig->err), &rig->err);
    rig->http = http_new(&rig->options);
    assert_ok(auth_new(&rig->options, rig->http, &rig->auth, &rig->err), &rig->err);
    rig->auth->now = fake_clock;
    clock_now = 1000;
}

static void rig_close(struct rig *rig)
{
    auth_free(rig->auth);
    http_free(rig->http);
    placement_client_free(rig->client);
    peer_free(rig->peer);
    free(rig->auth_url);
    free(rig->placement_url);
}
#define _cleanup_rig_ _cleanup_(rig_close)

/* A token of an hour. */
static void answer_token(struct rig *rig, const char *token)
{
    _cleanup_free_ char *header = xasprintf("X-Subject-Token: %s\r\n", token);
    _cleanup_free_ char *body = xasprintf(
        "{\"token\": {\"issued_at\": \"2026-11-20T08:00:00.000000Z\", \"expires_at\": "
        "\"2026-11-20T09:00:00.000000Z\", \"catalog\": [{\"type\": \"placement\", "
        "\"name\": \"placement\", \"endpoints\": [{\"interface\": \"public\", "
        "\"region_id\": \"One\", \"url\": \"%s/\"}]}]}}",
        rig->placement_url);
    peer_reply(rig->peer, 201, header, body);
}

static void answer_versions(struct rig *rig)
{
    peer_ok(rig->peer,
            "{\"versions\": [{\"min_version\": \"1.0\", \"max_version\": \"1.39\"}]}");
}

#define UNAUTHORIZED                                                                 \
    "{\"error\": {\"code\": 401, \"message\": \"The request you have made requires " \
    "authentication.\", \"title\": \"Unauthorized\"}}"

static void assert_request(struct rig *rig, size_t index, const char *line,
                           const char *token)
{
    _cleanup_free_ char *got = peer_request_line(rig->peer, index);
    assert_string_equal(got, line);
    _cleanup_free_ char *header =
        xasprintf("\r\nX-Auth-Token: %s\r\n", token ? token : "");
    if (token)
        assert_non_null(strstr(peer_request(rig->peer, index), header));
    else
        assert_null(strstr(peer_request(rig->peer, index), "X-Auth-Token"));
}

/* `text` is what stands behind "PUT URL/traits/CUSTOM_A: ". */
static void assert_refusal(const struct rig *rig, const char *text)
{
    _cleanup_free_ char *whole =
        xasprintf("PUT %s/traits/CUSTOM_A: %s", rig->placement_url, text);
    assert_string_equal(rig->err.text, whole);
}

static int create_trait(struct rig *rig)
{
    bool made;
    return placement_create_trait(rig->client, "CUSTOM_A", &made, &rig->err);
}

#define TOKENS "POST /identity/v3/auth/tokens"
#define TRAIT "PUT /placement/traits/CUSTOM_A"

static void one_token_serves_many_requests(void **state)
{
    (void)state;
    _cleanup_rig_ struct rig rig;
    rig_open(&rig);
    assert_int_equal(placement_client_token_expires_at(rig.client), 0);
    answer_token(&rig, "gAAAA-1");
    answer_versions(&rig);
    for (int i = 0; i < 3; i++) {
        peer_reply(rig.peer, 204, NULL, "");
        assert_ok(create_trait(&rig), &rig.err);
    }
    assert_int_equal(peer_request_count(rig.peer), 5);
    assert_int_equal(peer_connection_count(rig.peer), 1);
    assert_request(&rig, 0, TOKENS, NULL);
    assert_non_null(strstr(peer_request(rig.peer, 0), "\"password\":\"hunter2\""));
    assert_non_null(strstr(peer_request(rig.peer, 0), "Accept: application/json"));
    assert_request(&rig, 1, "GET /placement/", "gAAAA-1");
    assert_request(&rig, 4, TRAIT, "gAAAA-1");
    assert_int_equal(placement_client_token_expires_at(rig.client), 1795165200);
}

static void refused_token_is_renewed_once(void **state)
{
    (void)state;
    _cleanup_rig_ struct rig rig;
    rig_open(&rig);
    answer_token(&rig, "one");
    answer_versions(&rig);
    peer_reply(rig.peer, 401, NULL, UNAUTHORIZED);
    answer_token(&rig, "two");
    peer_reply(rig.peer, 204, NULL, "");
    assert_ok(create_trait(&rig), &rig.err);
    assert_request(&rig, 2, TRAIT, "one");
    assert_request(&rig, 3, TOKENS, NULL);
    assert_request(&rig, 4, TRAIT, "two");

    peer_reply(rig.peer, 401, NULL, UNAUTHORIZED);
    answer_token(&rig, "three");
    peer_reply(rig.peer, 401, NULL, UNAUTHORIZED);
    assert_int_equal(create_trait(&rig), -1);
    assert_int_equal(rig.err.code, ERROR_UNAUTHORIZED);
    assert_refusal(&rig,
                   "HTTP 401: The request you have made requires authentication.; "
                   "the token is refused: does this Placement ask the Keystone of "
                   "auth_url?");
    assert_int_equal(peer_request_count(rig.peer), 8);
}

static void override_needs_no_catalog(void **state)
{
    (void)state;
    _cleanup_rig_ struct rig rig;
    rig_open(&rig);
    placement_client_free(rig.client);
    rig.options.endpoint_override = rig.placement_url;
    assert_ok(placement_client_new(&rig.options, &rig.client, &rig.err), &rig.err);
    peer_reply(rig.peer, 201, "X-Subject-Token: one\r\n",
               "{\"token\": {\"issued_at\": \"2026-11-20T08:00:00Z\", \"expires_at\": "
               "\"2026-11-20T09:00:00Z\"}}");
    answer_versions(&rig);
    peer_reply(rig.peer, 204, NULL, "");
    assert_ok(create_trait(&rig), &rig.err);
    assert_request(&rig, 0, TOKENS "?nocatalog", NULL);
    assert_request(&rig, 2, TRAIT, "one");
}

/* At the level of auth, where the clock is ours. */
static int authorize(struct rig *rig, const char *expected)
{
    struct http_request request = {0};
    int rc = rig->auth->operations->authorize(rig->auth, &request, &rig->err);
    if (rc == 0) {
        _cleanup_free_ char *header = xasprintf("X-Auth-Token: %s", expected);
        assert_string_equal(request.authorization, header);
    }
    return rc;
}

static void token_is_renewed_ahead(void **state)
{
    (void)state;
    _cleanup_rig_ struct rig rig;
    rig_open(&rig);
    answer_token(&rig, "one");
    assert_ok(authorize(&rig, "one"), &rig.err);
    clock_now = 1000 + 3479;
    assert_ok(authorize(&rig, "one"), &rig.err);
    assert_int_equal(peer_request_count(rig.peer), 1);
    clock_now = 1000 + 3480;
    answer_token(&rig, "two");
    assert_ok(authorize(&rig, "two"), &rig.err);
    assert_int_equal(peer_request_count(rig.peer), 2);
}

/* Keystone is down: what holds, holds. */
static void valid_token_outlives_keystone(void **state)
{
    (void)state;
    _cleanup_rig_ struct rig rig;
    rig_open(&rig);
    answer_token(&rig, "one");
    assert_ok(authorize(&rig, "one"), &rig.err);
    clock_now = 1000 + 3500;
    peer_reply(rig.peer, 503, NULL, "");
    assert_ok(authorize(&rig, "one"), &rig.err);
    clock_now += 14;
    assert_ok(authorize(&rig, "one"), &rig.err);
    assert_int_equal(peer_request_count(rig.peer), 2);
    clock_now += 1;
    peer_reply(rig.peer, 503, NULL, "");
    assert_ok(authorize(&rig, "one"), &rig.err);
    assert_int_equal(peer_request_count(rig.peer), 3);
    clock_now = 1000 + 3600;
    peer_reply(rig.peer, 503, NULL, "");
    assert_int_equal(authorize(&rig, "one"), -1);
    assert_int_equal(rig.err.code, ERROR_UNREACHABLE);
    answer_token(&rig, "two");
    assert_ok(authorize(&rig, "two"), &rig.err);
}

/* But a refusal is one. */
static void refusal_ends_a_valid_token(void **state)
{
    (void)state;
    _cleanup_rig_ struct rig rig;
    rig_open(&rig);
    answer_token(&rig, "one");
    assert_ok(authorize(&rig, "one"), &rig.err);
    clock_now = 1000 + 3500;
    peer_reply(rig.peer, 401, NULL, UNAUTHORIZED);
    assert_int_equal(authorize(&rig, "one"), -1);
    assert_int_equal(rig.err.code, ERROR_UNAUTHORIZED);
}

static void refusals_are_one_clear_line(void **state)
{
    (void)state;
    static const struct {
        unsigned status;
        const char *headers, *body;
        const char *text; /* after "Keystone: POST URL: " */
        enum error_code code;
    } cases[] = {
        {401, "x-openstack-request-id: req-12\r\n", UNAUTHORIZED,
         "HTTP 401: The request you have made requires authentication. (req-12); are "
         "user, password, project and their domains right?",
         ERROR_UNAUTHORIZED},
        {404, NULL,
         "{\"error\": {\"code\": 404, \"message\": \"Could not find Application "
         "Credential: 12.\", \"title\": \"Not Found\"}}",
         "HTTP 404: Could not find Application Credential: 12.", ERROR_UNAUTHORIZED},
        {400, NULL,
         "{\"error\": {\"code\": 400, \"message\": \"Invalid input: "
         "{'password': 'hunter2'}\", \"title\": \"Bad Request\"}}",
         "HTTP 400: Invalid input: {'password': '*******'}", ERROR_INVALID},
        {403, NULL, "{\"error\": {\"code\": 403, \"title\": \"Forbidden\"}}",
         "HTTP 403: Forbidden", ERROR_FORBIDDEN},
        {409, NULL, "", "HTTP 409; " HINT_NO_KEYSTONE, ERROR_UNAUTHORIZED},
        {404, NULL, "<title>404 Not Found</title>",
         "HTTP 404: 404 Not Found; " HINT_NO_KEYSTONE, ERROR_UNAUTHORIZED},
        {503, NULL, "<title>503 Service Unavailable</title>",
         "HTTP 503: 503 Service Unavailable", ERROR_UNREACHABLE},
        {300, NULL, "{}", "HTTP 300; " HINT_NO_KEYSTONE, ERROR_UNAUTHORIZED},
        {201, NULL, "{\"token\": {}}",
         "the reply has no X-Subject-Token; " HINT_NO_KEYSTONE, ERROR_PROTOCOL},
        {201, "X-Subject-Token: a b\r\n", "{\"token\": {}}",
         "the reply has no X-Subject-Token; " HINT_NO_KEYSTONE, ERROR_PROTOCOL},
        {201, "X-Subject-Token: one\r\n", "{\"token\": {}}",
         "token: issued_at: missing, expected a string", ERROR_PROTOCOL},
        {201, "X-Subject-Token: one\r\n", "{\"access\"",
         "not JSON at byte 9: it ends too early", ERROR_PROTOCOL},
        {201, "X-Subject-Token: one\r\n",
         "{\"token\": {\"issued_at\": \"2026-11-20T08:00:00Z\", \"expires_at\": "
         "\"2026-11-20T09:00:00Z\", \"catalog\": []}}",
         "Keystone's catalog has no endpoint with service_type placement, interface "
         "internal, public; it is empty",
         ERROR_INVALID},
        {201, "X-Subject-Token: one\r\n",
         "{\"token\": {\"issued_at\": \"2026-11-20T08:00:00Z\", \"expires_at\": "
         "\"2026-11-20T09:00:00Z\", \"catalog\": [{\"type\": \"placement\", "
         "\"endpoints\": [{\"interface\": \"public\", \"url\": \"ftp://x/\"}]}]}}",
         "the catalog's endpoint: not a URL: expected http://HOST[:PORT][/PATH] or "
         "https://..., without user or query",
         ERROR_INVALID},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        _cleanup_rig_ struct rig rig;
        rig_open(&rig);
        peer_reply(rig.peer, cases[i].status, cases[i].headers, cases[i].body);
        assert_int_equal(create_trait(&rig), -1);
        _cleanup_free_ char *text = xasprintf("Keystone: POST %s/v3/auth/tokens: %s",
                                              rig.auth_url, cases[i].text);
        assert_string_equal(rig.err.text, text);
        assert_int_equal(rig.err.code, cases[i].code);
        assert_int_equal(peer_request_count(rig.peer), 1);
        assert_int_equal(placement_client_token_expires_at(rig.client), 0);
    }
}

/* Keystone's middleware in front of Placement, in the shapes it has. */
static void placement_refuses_our_role(void **state)
{
    (void)state;
    _cleanup_rig_ struct rig rig;
    rig_open(&rig);
    answer_token(&rig, "one");
    answer_versions(&rig);
    peer_reply(rig.peer, 403, NULL,
               "{\"errors\": [{\"status\": 403, \"title\": \"Forbidden\", \"detail\": "
               "\"Access was denied to this resource.\\n\\n admin required.  \", "
               "\"code\": \"placement.undefined_code\", \"request_id\": \"req-9\"}]}");
    assert_int_equal(create_trait(&rig), -1);
    assert_int_equal(rig.err.code, ERROR_FORBIDDEN);
    assert_refusal(&rig, "HTTP 403: admin required. (req-9)");
    peer_reply(rig.peer, 503, NULL,
               "{\"error\": {\"code\": \"503\", \"message\": \"The Keystone service is "
               "temporarily unavailable.\", \"title\": \"Service Unavailable\"}}");
    assert_int_equal(create_trait(&rig), -1);
    assert_int_equal(rig.err.code, ERROR_UNREACHABLE);
}

static void a_refusal_may_quote_the_token(void **state)
{
    (void)state;
    _cleanup_rig_ struct rig rig;
    rig_open(&rig);
    answer_token(&rig, "gAAAA-secret");
    answer_versions(&rig);
    peer_reply(rig.peer, 400, "Content-Type: text/plain\r\n",
               "bad header X-Auth-Token: gAAAA-secret, hunter2");
    assert_int_equal(create_trait(&rig), -1);
    assert_refusal(&rig, "HTTP 400: bad header X-Auth-Token: ************, *******");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_token_serves_many_requests),
        cmocka_unit_test(refused_token_is_renewed_once),
        cmocka_unit_test(override_needs_no_catalog),
        cmocka_unit_test(token_is_renewed_ahead),
        cmocka_unit_test(valid_token_outlives_keystone),
        cmocka_unit_test(refusal_ends_a_valid_token),
        cmocka_unit_test(refusals_are_one_clear_line),
        cmocka_unit_test(placement_refuses_our_role),
        cmocka_unit_test(a_refusal_may_quote_the_token),
    };
    return cmocka_run_group_tests_name("auth_keystone", tests, NULL, NULL);
}
