#include "tests/unit/test.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/xalloc.h"
#include "tests/unit/placement/client/client_pair.h"

/* ---- refusals ---- */

enum verb { GET, PUT, POST, DELETE };

static int send_verb(struct pair *pair, enum verb verb)
{
    int64_t generation = 1;
    switch (verb) {
    case GET:
        return pair_get_tree(pair);
    case PUT:
        return placement_put_inventories(pair->client, UUID, NULL, 0, &generation,
                                         &pair->err);
    case POST:
        return placement_create_provider(pair->client, UUID, "n", NULL, &pair->err);
    case DELETE:
        return placement_delete_provider(pair->client, UUID, &pair->err);
    }
    return -2;
}

#define CODED(code) "{\"errors\": [{\"code\": \"placement." code "\"}]}"

/* Of OpenStack's Placement 8.0, for one of two PUTs of traits that overlap. */
#define RACE                                                                      \
    "{\"errors\": [{\"status\": 500, \"title\": \"Internal Server Error\", "      \
    "\"detail\": "                                                                \
    "\"The server has either erred or is incapable of performing the requested "  \
    "operation.\\n\\n Another thread concurrently updated the resource provider " \
    "data. "                                                                      \
    "Please retry your update  \", \"code\": \"placement.undefined_code\"}]}"

static void statuses_become_codes(void **state)
{
    (void)state;
    static const struct {
        unsigned status;
        enum verb verb;
        const char *body;
        enum error_code code;
    } cases[] = {
        {300, GET, "", ERROR_PROTOCOL},
        {302, GET, "", ERROR_PROTOCOL},
        {400, GET, "", ERROR_INVALID},
        {401, GET, "", ERROR_UNAUTHORIZED},
        {402, GET, "", ERROR_INVALID},
        {403, GET, "", ERROR_FORBIDDEN},
        {404, GET, "{\"errors\": [{}]}", ERROR_NOT_FOUND},
        /* a proxy's, which says nothing about a provider */
        {404, GET, "", ERROR_PROTOCOL},
        {404, DELETE, "<title>404 Not Found</title>", ERROR_PROTOCOL},
        {405, GET, "", ERROR_UNSUPPORTED},
        {407, GET, "", ERROR_UNAUTHORIZED},
        {408, GET, "", ERROR_TIMEOUT},
        {409, GET, "", ERROR_CONFLICT},
        {409, PUT, "", ERROR_CONFLICT},
        {409, PUT, CODED("undefined_code"), ERROR_CONFLICT},
        {409, PUT, CODED("concurrent_update"), ERROR_CONFLICT},
        {409, PUT, CODED("inventory.inuse"), ERROR_BUSY},
        {409, POST, "", ERROR_EXISTS},
        {409, POST, CODED("concurrent_update"), ERROR_CONFLICT},
        {409, POST, CODED("duplicate_name"), ERROR_EXISTS},
        {409, DELETE, "", ERROR_BUSY},
        {409, DELETE, CODED("resource_provider.inuse"), ERROR_BUSY},
        {409, DELETE, CODED("resource_provider.cannot_delete_parent"), ERROR_BUSY},
        {410, GET, "{\"errors\": [{}]}", ERROR_NOT_FOUND},
        {411, GET, "", ERROR_INVALID},
        {412, GET, "", ERROR_INVALID},
        {413, PUT, "", ERROR_INVALID},
        {414, GET, "", ERROR_INVALID},
        {415, PUT, "", ERROR_UNSUPPORTED},
        {429, GET, "", ERROR_UNREACHABLE},
        {431, GET, "", ERROR_INVALID},
        {500, GET, "", ERROR_UNREACHABLE},
        {500, PUT, "{\"errors\": [{\"detail\": \"Oops\"}]}", ERROR_UNREACHABLE},
        {500, PUT, RACE, ERROR_CONFLICT},
        {501, GET, "", ERROR_UNSUPPORTED},
        {502, PUT, "", ERROR_UNREACHABLE},
        {503, GET, "", ERROR_UNREACHABLE},
        {504, GET, "", ERROR_UNREACHABLE},
        {599, GET, "", ERROR_UNREACHABLE},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        _cleanup_pair_ struct pair pair;
        pair_open(&pair);
        peer_reply(pair.peer, cases[i].status, "Location: http://127.0.0.1:1/\r\n",
                   cases[i].body);
        assert_int_equal(send_verb(&pair, cases[i].verb), -1);
        if (pair.err.code != cases[i].code)
            fail_msg("%u %s: %s, %s", cases[i].status, cases[i].body,
                     error_code_name(pair.err.code), pair.err.text);
        assert_int_equal(peer_request_count(pair.peer), 2);
    }
}

static void texts_say_what_and_where(void **state)
{
    (void)state;
    static const struct {
        unsigned status;
        const char *headers, *body, *text;
    } cases[] = {
        {404, "x-openstack-request-id: req-1234abcd\r\n",
         "{\"errors\": [{\"detail\": \"Not found.\\n\\n No provider \"}]}",
         "GET /resource_providers?in_tree=" UUID
         ": HTTP 404: No provider (req-1234abcd)"},
        {409, NULL,
         "{\"errors\": [{\"title\": \"Conflict\", \"code\": "
         "\"placement.concurrent_update\", \"request_id\": \"req-5\"}]}",
         "GET /resource_providers?in_tree=" UUID
         ": HTTP 409: Conflict (placement.concurrent_update, req-5)"},
        {400, NULL,
         "{\"errors\": [{\"title\": \"B\", \"code\": "
         "\"placement.undefined_code\"}]}",
         "GET /resource_providers?in_tree=" UUID ": HTTP 400: B"},
        {503, "x-openstack-request-id: bad id; \x1b[31m\r\n", "",
         "GET /resource_providers?in_tree=" UUID ": HTTP 503"},
        {502, NULL, "<title>502 Proxy Error</title>",
         "GET /resource_providers?in_tree=" UUID ": HTTP 502: 502 Proxy Error"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        _cleanup_pair_ struct pair pair;
        pair_open(&pair);
        peer_reply(pair.peer, cases[i].status, cases[i].headers, cases[i].body);
        assert_int_equal(pair_get_tree(&pair), -1);
        _cleanup_free_ char *text = pair_text(&pair);
        assert_string_equal(text, cases[i].text);
    }
}

/* ---- replies that are none ---- */

static void broken_replies_are_errors(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        enum error_code code;
    } cases[] = {
        {"", ERROR_UNREACHABLE},
        {"HTTP/1.1 200", ERROR_UNREACHABLE},
        {"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"resource",
         ERROR_UNREACHABLE},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{\"res",
         ERROR_UNREACHABLE},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
         ERROR_UNREACHABLE},
        {"garbage garbage garbage\r\n\r\n", ERROR_PROTOCOL},
        {"SSH-2.0-OpenSSH_9.2\r\n", ERROR_PROTOCOL},
        {"HTTP/1.1 200 OK\r\n\r\n", ERROR_PROTOCOL},
        {"HTTP/1.1 200 OK\r\n\r\n{\"resource_providers\": [", ERROR_PROTOCOL},
        {"HTTP/1.1 200 OK\r\n\r\n{\"resource_providers\": 5}", ERROR_PROTOCOL},
        {"HTTP/1.1 200 OK\r\n\r\n[]", ERROR_PROTOCOL},
        {"HTTP/1.1 200 OK\r\n\r\nnull", ERROR_PROTOCOL},
        {"HTTP/1.1 200 OK\r\n\r\n{\"a\": \"\xff\xfe\"}", ERROR_PROTOCOL},
        {"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n",
         ERROR_PROTOCOL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        _cleanup_pair_ struct pair pair;
        pair_open(&pair);
        peer_raw(pair.peer, cases[i].bytes);
        /* libcurl may ask once more on a new connection. */
        peer_raw(pair.peer, cases[i].bytes);
        assert_int_equal(pair_get_tree(&pair), -1);
        if (pair.err.code != cases[i].code ||
            !strstr(pair.err.text, "/resource_providers?in_tree=" UUID ": "))
            fail_msg("%s: %s, %s", cases[i].bytes, error_code_name(pair.err.code),
                     pair.err.text);
        /* And the next one is served. */
        peer_clear(pair.peer);
        peer_ok(pair.peer, NO_PROVIDERS);
        assert_ok(pair_get_tree(&pair), &pair.err);
    }
}

static void huge_replies_are_refused(void **state)
{
    (void)state;
    static const size_t huge = 100u << 20;
    for (unsigned announced = 0; announced < 2; announced++) {
        _cleanup_pair_ struct pair pair;
        pair_open(&pair);
        peer_flood(pair.peer, huge, announced);
        assert_int_equal(pair_get_tree(&pair), -1);
        assert_int_equal(pair.err.code, ERROR_PROTOCOL);
        assert_non_null(strstr(pair.err.text, ": the reply is larger than 4 MiB"));
    }
}

static void huge_headers_are_refused(void **state)
{
    (void)state;
    static const char begin[] = "HTTP/1.1 200 OK\r\nX: ";
    static char reply[1 << 20];
    memset(reply, 'x', sizeof reply - 1);
    memcpy(reply, begin, strlen(begin));
    _cleanup_pair_ struct pair pair;
    pair_open(&pair);
    peer_raw(pair.peer, reply);
    assert_int_equal(pair_get_tree(&pair), -1);
    assert_int_equal(pair.err.code, ERROR_PROTOCOL);
    assert_non_null(strstr(pair.err.text, ": the reply's headers are too large"));
}

static void a_long_query_leaves_room_for_the_reason(void **state)
{
    (void)state;
    _cleanup_pair_ struct pair pair;
    _cleanup_strlist_ struct strlist names = {0}, found = {0};
    pair_open(&pair);
    for (unsigned i = 0; i < 50; i++)
        strlist_add_take(&names, xasprintf("HW_GPU_RESOLUTION_W1024H%u", i));
    peer_reply(pair.peer, 503, NULL, "not now");
    assert_int_equal(placement_get_traits(pair.client, &names, &found, &pair.err), -1);
    assert_non_null(strstr(pair.err.text, "/traits?name=in:HW_GPU_RESOLUTION"));
    assert_non_null(strstr(pair.err.text, "...: HTTP 503"));
    assert_in_range(strlen(pair.err.text), 1, 250);
}

static void slow_replies_time_out(void **state)
{
    (void)state;
    _cleanup_pair_ struct pair pair;
    pair_open(&pair);
    pair.options.timeout = 0.2;
    peer_silence(pair.peer);
    assert_int_equal(pair_get_tree(&pair), -1);
    assert_int_equal(pair.err.code, ERROR_TIMEOUT);
}

static bool stop(void *data)
{
    return *(bool *)data;
}

static void can_be_interrupted(void **state)
{
    (void)state;
    _cleanup_pair_ struct pair pair;
    pair_open(&pair);
    bool stopping = false;
    placement_client_set_interrupt(pair.client, stop, &stopping);
    peer_ok(pair.peer, NO_PROVIDERS);
    assert_ok(pair_get_tree(&pair), &pair.err);
    stopping = true;
    peer_silence(pair.peer);
    assert_int_equal(pair_get_tree(&pair), -1);
    assert_int_equal(pair.err.code, ERROR_BUSY);
}

static void nobody_there(void **state)
{
    (void)state;
    _cleanup_pair_ struct pair pair;
    pair_open(&pair);
    _cleanup_free_ char *url = xstrdup(peer_url(pair.peer));
    pair.options.endpoint = url;
    peer_free(pair.peer);
    pair.peer = NULL;
    assert_int_equal(pair_get_tree(&pair), -1);
    assert_int_equal(pair.err.code, ERROR_UNREACHABLE);
}

static void tries_as_often_as_told(void **state)
{
    (void)state;
    _cleanup_pair_ struct pair pair;
    pair_open(&pair);
    pair.options.connect_retries = 2;
    pair.options.status_code_retries = 1;
    pair.options.connect_retry_delay = pair.options.status_code_retry_delay = 0.001;
    peer_reply(pair.peer, 503, NULL, "");
    peer_ok(pair.peer, NO_PROVIDERS);
    assert_ok(pair_get_tree(&pair), &pair.err);
    assert_int_equal(peer_request_count(pair.peer), 3);
    peer_reply(pair.peer, 503, NULL, "");
    peer_reply(pair.peer, 503, NULL, "");
    assert_int_equal(pair_get_tree(&pair), -1);
    assert_int_equal(peer_request_count(pair.peer), 5);
    static const char cut[] = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{";
    peer_raw(pair.peer, cut);
    peer_raw(pair.peer, cut);
    peer_ok(pair.peer, NO_PROVIDERS);
    assert_ok(pair_get_tree(&pair), &pair.err);
    assert_int_equal(peer_request_count(pair.peer), 8);
    for (size_t i = 0; i < 3; i++)
        peer_raw(pair.peer, cut);
    assert_int_equal(pair_get_tree(&pair), -1);
    assert_int_equal(pair.err.code, ERROR_UNREACHABLE);
    assert_int_equal(peer_request_count(pair.peer), 11);
}

static void heeds_retry_after(void **state)
{
    (void)state;
    _cleanup_pair_ struct pair pair;
    pair_open(&pair);
    peer_reply(pair.peer, 503, "Retry-After: 7\r\n", "");
    assert_int_equal(pair_get_tree(&pair), -1);
    assert_int_equal(placement_client_retry_after(pair.client), 7);
    peer_reply(pair.peer, 429, "Retry-After: 4000000000000\r\n", "");
    assert_int_equal(pair_get_tree(&pair), -1);
    assert_true(placement_client_retry_after(pair.client) > 3600);
    /* Of an answer it means something else. */
    peer_reply(pair.peer, 200, "Retry-After: 7\r\n", NO_PROVIDERS);
    assert_ok(pair_get_tree(&pair), &pair.err);
    assert_int_equal(placement_client_retry_after(pair.client), 0);
    /* Waits before its own next attempt as long as it is asked to; not for hours. */
    pair.options.status_code_retries = 1;
    pair.options.status_code_retry_delay = 0.001;
    struct timespec before, after;
    clock_gettime(CLOCK_MONOTONIC, &before);
    peer_reply(pair.peer, 503, "Retry-After: 1\r\n", "");
    peer_ok(pair.peer, NO_PROVIDERS);
    assert_ok(pair_get_tree(&pair), &pair.err);
    clock_gettime(CLOCK_MONOTONIC, &after);
    assert_true((double)(after.tv_sec - before.tv_sec) +
                    (double)(after.tv_nsec - before.tv_nsec) / 1e9 >=
                0.999);
    peer_reply(pair.peer, 503, "Retry-After: 7200\r\n", "");
    assert_int_equal(pair_get_tree(&pair), -1);
    assert_int_equal(placement_client_retry_after(pair.client), 7200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(statuses_become_codes),
        cmocka_unit_test(texts_say_what_and_where),
        cmocka_unit_test(broken_replies_are_errors),
        cmocka_unit_test(huge_replies_are_refused),
        cmocka_unit_test(huge_headers_are_refused),
        cmocka_unit_test(a_long_query_leaves_room_for_the_reason),
        cmocka_unit_test(slow_replies_time_out),
        cmocka_unit_test(can_be_interrupted),
        cmocka_unit_test(nobody_there),
        cmocka_unit_test(tries_as_often_as_told),
        cmocka_unit_test(heeds_retry_after),
    };
    return cmocka_run_group_tests_name("client_failures", tests, NULL, NULL);
}
