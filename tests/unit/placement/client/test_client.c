#include "tests/unit/test.h"

#include <stdlib.h>
#include <string.h>

#include "lib/json_write.h"
#include "lib/xalloc.h"
#include "tests/unit/placement/client/client_pair.h"

/* ---- what is sent ---- */

static void says_who_and_which_version(void **state)
{
    (void)state;
    _cleanup_pair_ struct pair pair;
    pair_open(&pair);
    peer_ok(pair.peer, NO_PROVIDERS);
    assert_ok(pair_get_tree(&pair), &pair.err);
    assert_request(&pair, 0, "GET /");
    assert_request(&pair, 1, "GET /resource_providers?in_tree=" UUID);
    assert_true(has_line(&pair, 1, "OpenStack-API-Version: placement 1.39"));
    assert_true(has_line(&pair, 1, "X-Auth-Token: admin"));
    assert_true(has_line(&pair, 1, "Accept: application/json"));
    assert_true(has_line(&pair, 1, "User-Agent: vgpu-agent/" VERSION));
    assert_null(strstr(peer_request(pair.peer, 1), "Content-Type"));
}

static void keeps_version_and_connection(void **state)
{
    (void)state;
    _cleanup_pair_ struct pair pair;
    pair_open(&pair);
    for (size_t i = 0; i < 20; i++) {
        peer_ok(pair.peer, NO_PROVIDERS);
        assert_ok(pair_get_tree(&pair), &pair.err);
    }
    assert_int_equal(peer_request_count(pair.peer), 21);
    assert_int_equal(placement_client_requests(pair.client), 21);
    assert_int_equal(peer_connection_count(pair.peer), 1);
}

/* Servers close connections that idle; the next request opens another. */
static void opens_the_connection_again(void **state)
{
    (void)state;
    _cleanup_pair_ struct pair pair;
    pair_open(&pair);
    for (size_t i = 0; i < 3; i++) {
        peer_raw(pair.peer,
                 "HTTP/1.1 200 OK\r\nContent-Length: 26\r\n\r\n" NO_PROVIDERS);
        assert_ok(pair_get_tree(&pair), &pair.err);
    }
    assert_int_equal(peer_connection_count(pair.peer), 3);
    assert_int_equal(peer_request_count(pair.peer), 4);
}

static void endpoint_may_have_a_path(void **state)
{
    (void)state;
    _cleanup_pair_ struct pair pair = {.peer = peer_new()};
    _cleanup_free_ char *url = xasprintf("%s/placement///", peer_url(pair.peer));
    pair.options = (struct placement_config){.auth_type = (char *)"admin_token",
                                             .token = (char *)"secret-token",
                                             .endpoint = (char *)"http://127.0.0.1:1/",
                                             .endpoint_override = url};
    assert_ok(placement_client_new(&pair.options, &pair.client, &pair.err), &pair.err);
    peer_ok(pair.peer, VERSIONS("1.0", "1.39"));
    peer_ok(pair.peer, NO_PROVIDERS);
    assert_ok(pair_get_tree(&pair), &pair.err);
    assert_request(&pair, 0, "GET /placement/");
    assert_request(&pair, 1, "GET /placement/resource_providers?in_tree=" UUID);
    assert_true(has_line(&pair, 1, "X-Auth-Token: secret-token"));
}

static void any_call_at_an_older_version(void **state)
{
    (void)state;
    _cleanup_pair_ struct pair pair;
    _cleanup_json_ struct json_object *json = NULL;
    pair_open(&pair);
    struct error *err = &pair.err;
    peer_ok(pair.peer, NO_PROVIDERS);
    peer_reply(pair.peer, 204, NULL, "");
    peer_reply(pair.peer, 204, NULL, "");
    assert_ok(placement_client_call(pair.client, "GET", "/resource_providers", NULL, 0,
                                    &json, err),
              err);
    assert_non_null(json);
    assert_ok(placement_client_call(pair.client, "PUT", "/allocations/" UUID, "{}", 37,
                                    NULL, err),
              err);
    /* Never a newer one than was negotiated. */
    assert_ok(placement_client_call(pair.client, "PUT", "/allocations/" UUID, "{}", 40,
                                    NULL, err),
              err);
    assert_request(&pair, 2, "PUT /allocations/" UUID);
    assert_body(&pair, 2, "{}");
    assert_true(has_line(&pair, 1, "OpenStack-API-Version: placement 1.39"));
    assert_true(has_line(&pair, 2, "OpenStack-API-Version: placement 1.37"));
    assert_true(has_line(&pair, 3, "OpenStack-API-Version: placement 1.39"));
}

/* A list of 100 000 providers is larger than what the agent takes. */
static void large_replies_where_told(void **state)
{
    enum { COUNT = 40000 };
    (void)state;
    _cleanup_pair_ struct pair pair;
    _cleanup_json_ struct json_object *json = NULL;
    struct json_writer w = {0};
    json_write_begin_object(&w);
    json_write_key(&w, "resource_providers");
    json_write_begin_array(&w);
    for (size_t i = 0; i < COUNT; i++) {
        json_write_begin_object(&w);
        json_write_string_member(&w, "uuid", UUID);
        json_write_string_member(&w, "links", UUID UUID);
        json_write_end_object(&w);
    }
    json_write_end_array(&w);
    json_write_end_object(&w);
    _cleanup_free_ char *body = json_writer_take(&w, NULL);
    pair_open(&pair);
    struct error *err = &pair.err;
    peer_ok(pair.peer, body);
    assert_int_equal(
        placement_client_call(pair.client, "GET", "/x", NULL, 0, &json, err), -1);
    placement_client_take_large(pair.client);
    peer_ok(pair.peer, body);
    assert_ok(placement_client_call(pair.client, "GET", "/x", NULL, 0, &json, err),
              err);
    assert_int_equal(json_object_array_length(json_member(json, "resource_providers")),
                     COUNT);
}

static void verbs_send_what_placement_wants(void **state)
{
    (void)state;
    _cleanup_pair_ struct pair pair;
    pair_open(&pair);
    peer_reply(pair.peer, 200, NULL, "{}");
    peer_reply(pair.peer, 201, NULL, "");
    peer_reply(pair.peer, 204, NULL, "");
    peer_ok(pair.peer, "{\"inventories\": {}, \"resource_provider_generation\": 8}");
    peer_ok(pair.peer, "{\"traits\": [], \"resource_provider_generation\": 9}");
    peer_reply(pair.peer, 201, NULL, "");
    peer_reply(pair.peer, 204, NULL, "");
    peer_reply(pair.peer, 204, NULL, "");
    peer_reply(pair.peer, 409, NULL, "{}");
    peer_ok(pair.peer, NO_PROVIDERS);

    struct error *err = &pair.err;
    assert_ok(placement_create_provider(pair.client, UUID, "a\"b", NULL, err), err);
    assert_ok(placement_create_provider(pair.client, UUID, "c", UUID, err), err);
    assert_ok(placement_delete_provider(pair.client, UUID, err), err);
    const struct class_inventory inventory = {(char *)"VGPU", {16, 0, 1, 16, 1, 1.0}};
    int64_t generation = 7;
    assert_ok(
        placement_put_inventories(pair.client, UUID, &inventory, 1, &generation, err),
        err);
    assert_int_equal(generation, 8);
    char *names[] = {(char *)"CUSTOM_A"};
    const struct strlist traits = {names, 1};
    assert_ok(
        placement_put_provider_traits(pair.client, UUID, &traits, &generation, err),
        err);
    assert_int_equal(generation, 9);
    bool made;
    assert_ok(placement_create_trait(pair.client, "CUSTOM_A", &made, err), err);
    assert_true(made);
    assert_ok(placement_create_class(pair.client, "CUSTOM_B", &made, err), err);
    assert_false(made); /* it was there */
    assert_ok(placement_delete_trait(pair.client, "CUSTOM_A", err), err);
    assert_int_equal(placement_delete_class(pair.client, "CUSTOM_B", err), -1);
    assert_int_equal(err->code, ERROR_BUSY);
    struct provider *none = NULL;
    size_t count = 5;
    assert_ok(placement_get_by_name(pair.client, "h\xc3\xa9 &x=1", &none, &count, err),
              err);
    assert_int_equal(count, 0);

    assert_request(&pair, 1, "POST /resource_providers");
    assert_body(&pair, 1, "{\"uuid\":\"" UUID "\",\"name\":\"a\\\"b\"}");
    assert_true(has_line(&pair, 1, "Content-Type: application/json"));
    assert_body(&pair, 2,
                "{\"uuid\":\"" UUID "\",\"name\":\"c\",\"parent_provider_uuid\":\"" UUID
                "\"}");
    assert_request(&pair, 3, "DELETE /resource_providers/" UUID);
    assert_request(&pair, 4, "PUT /resource_providers/" UUID "/inventories");
    assert_body(
        &pair, 4,
        "{\"inventories\":{\"VGPU\":{\"total\":16,\"reserved\":0,\"min_unit\":1,"
        "\"max_unit\":16,\"step_size\":1,\"allocation_ratio\":1.0}},"
        "\"resource_provider_generation\":7}");
    assert_request(&pair, 5, "PUT /resource_providers/" UUID "/traits");
    assert_body(&pair, 5,
                "{\"traits\":[\"CUSTOM_A\"],\"resource_provider_generation\":8}");
    assert_request(&pair, 6, "PUT /traits/CUSTOM_A");
    assert_request(&pair, 7, "PUT /resource_classes/CUSTOM_B");
    assert_request(&pair, 8, "DELETE /traits/CUSTOM_A");
    assert_request(&pair, 9, "DELETE /resource_classes/CUSTOM_B");
    assert_request(&pair, 10, "GET /resource_providers?name=h%C3%A9%20%26x%3D1");
}

static void verbs_give_what_placement_says(void **state)
{
    (void)state;
    _cleanup_pair_ struct pair pair;
    pair_open(&pair);
    struct error *err = &pair.err;
    size_t count;
    int64_t generation;

    peer_ok(pair.peer, "{\"resource_providers\": [{\"uuid\": \"" UUID
                       "\", \"name\": \"h\", \"generation\": 4, "
                       "\"root_provider_uuid\": \"" UUID "\"}]}");
    struct provider *providers;
    assert_ok(placement_get_tree(pair.client, UUID, &providers, &count, err), err);
    assert_int_equal(count, 1);
    assert_int_equal(providers[0].generation, 4);
    providers_free(providers, count);

    peer_ok(
        pair.peer,
        "{\"inventories\": {\"VGPU\": {\"total\": 16, \"reserved\": 0, \"min_unit\": "
        "1, \"max_unit\": 16, \"step_size\": 1, \"allocation_ratio\": 1.0}}, "
        "\"resource_provider_generation\": 5}");
    struct class_inventory *inventories;
    assert_ok(placement_get_inventories(pair.client, UUID, &inventories, &count,
                                        &generation, err),
              err);
    assert_int_equal(inventories[0].inventory.total, 16);
    assert_int_equal(generation, 5);
    class_inventories_free(inventories, count);

    peer_ok(pair.peer,
            "{\"usages\": {\"VGPU\": 2}, \"resource_provider_generation\": 5}");
    struct class_usage *usages;
    assert_ok(placement_get_usages(pair.client, UUID, &usages, &count, err), err);
    assert_int_equal(usages[0].used, 2);
    class_usages_free(usages, count);

    peer_ok(pair.peer,
            "{\"allocations\": {\"" UUID "\": {\"resources\": {\"VGPU\": 2}}}, "
            "\"resource_provider_generation\": 6}");
    struct provider_allocation *allocations;
    assert_ok(placement_get_provider_allocations(pair.client, UUID, &allocations,
                                                 &count, &generation, err),
              err);
    assert_int_equal(allocations[0].amount, 2);
    provider_allocations_free(allocations, count);

    peer_ok(pair.peer,
            "{\"traits\": [\"CUSTOM_A\"], \"resource_provider_generation\": 6}");
    _cleanup_strlist_ struct strlist traits = {0};
    assert_ok(
        placement_get_provider_traits(pair.client, UUID, &traits, &generation, err),
        err);
    assert_int_equal(traits.count, 1);
}

/* Many names are asked for in requests that every server takes. */
static void asks_for_traits_in_parts(void **state)
{
    (void)state;
    _cleanup_pair_ struct pair pair;
    pair_open(&pair);
    _cleanup_strlist_ struct strlist names = {0}, found = {0};
    for (size_t i = 0; i < 20; i++)
        strlist_add_take(&names, xasprintf("CUSTOM_%0248zu", i));
    peer_ok(pair.peer, "{\"traits\": [\"CUSTOM_B\"]}");
    peer_ok(pair.peer, "{\"traits\": []}");
    peer_ok(pair.peer, "{\"traits\": [\"CUSTOM_A\"]}");
    assert_ok(placement_get_traits(pair.client, &names, &found, &pair.err), &pair.err);
    assert_int_equal(peer_request_count(pair.peer), 4);
    assert_int_equal(found.count, 2);
    assert_string_equal(found.items[0], "CUSTOM_A");
    size_t asked = 0;
    for (size_t i = 1; i < 4; i++) {
        _cleanup_free_ char *line = peer_request_line(pair.peer, i);
        assert_true(strlen(line) < 2100);
        assert_ptr_equal(strstr(line, "GET /traits?name=in:CUSTOM_"), line);
        for (const char *p = line; (p = strstr(p, "CUSTOM_")); p++)
            asked++;
    }
    assert_int_equal(asked, 20);
}

/* ---- the microversion ---- */

#define NAME \
    "; endpoint must name Placement, as http://HOST/placement or http://HOST:8778"
#define OTHERS "; this is another service's list of versions" NAME

static void agrees_on_a_version(void **state)
{
    (void)state;
    static const struct {
        const char *versions, *header; /* NULL: refused with the text */
        const char *text;
        enum error_code code;
    } cases[] = {
        {VERSIONS("1.0", "1.39"), "placement 1.39"},
        {VERSIONS("1.0", "1.40"), "placement 1.39"},
        {VERSIONS("1.0", "1.30"), "placement 1.30"},
        {VERSIONS("1.0", "1.14"), "placement 1.14"},
        {VERSIONS("1.39", "1.50"), "placement 1.39"},
        {VERSIONS("1.0", "1.13"), NULL,
         "Placement speaks the microversions 1.0 to 1.13; this agent needs one of 1.14 "
         "to 1.39",
         ERROR_UNSUPPORTED},
        {VERSIONS("1.40", "1.50"), NULL,
         "Placement speaks the microversions 1.40 to 1.50; this agent needs one of "
         "1.14 "
         "to 1.39",
         ERROR_UNSUPPORTED},
        {VERSIONS("2.0", "2.1"), NULL,
         "GET /: unexpected reply: versions[0]: min_version: '2.0' is not 1.N" OTHERS,
         ERROR_PROTOCOL},
        {VERSIONS("1.0", "1.39x"), NULL,
         "GET /: unexpected reply: versions[0]: max_version: '1.39x' is not 1.N" OTHERS,
         ERROR_PROTOCOL},
        {"{\"versions\": []}", NULL,
         "GET /: unexpected reply: versions[0]: expected an object with 'min_version', "
         "got null" OTHERS,
         ERROR_PROTOCOL},
        {"{}", NULL,
         "GET /: unexpected reply: versions: missing, expected an array; this is not "
         "Placement" NAME,
         ERROR_PROTOCOL},
        {"<html>", NULL,
         "GET /: unexpected reply: not JSON at byte 0: unexpected character; this is a "
         "web page" NAME,
         ERROR_PROTOCOL},
        {"{\"versions\": {\"values\": [{\"id\": \"v3.14\"}]}}", NULL,
         "GET /: unexpected reply: versions: expected an array, got an object; this is "
         "Keystone's list of versions" NAME,
         ERROR_PROTOCOL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        _cleanup_pair_ struct pair pair;
        pair_open(&pair);
        peer_clear(pair.peer);
        peer_ok(pair.peer, cases[i].versions);
        peer_ok(pair.peer, NO_PROVIDERS);
        int rc = pair_get_tree(&pair);
        if (cases[i].header) {
            assert_ok(rc, &pair.err);
            assert_non_null(strstr(peer_request(pair.peer, 1), cases[i].header));
        } else {
            assert_int_equal(rc, -1);
            bool has_url = strncmp(cases[i].text, "GET ", 4) == 0;
            _cleanup_free_ char *text =
                has_url ? pair_text(&pair) : xstrdup(pair.err.text);
            assert_string_equal(text, cases[i].text);
            assert_int_equal(pair.err.code, cases[i].code);
            assert_int_equal(peer_request_count(pair.peer), 1);
        }
    }
}

/* Another service, another page, or nothing stands where Placement is said to be. */
static void says_what_answers_in_its_place(void **state)
{
    (void)state;
    static const struct {
        unsigned status;
        const char *headers, *body, *text;
        enum error_code code;
    } cases[] = {
        {300, NULL, "{\"versions\": {\"values\": []}}",
         "GET /: HTTP 300; this is Keystone's list of versions" NAME, ERROR_PROTOCOL},
        {300, NULL, "{\"versions\": [{\"id\": \"v2.9\"}]}",
         "GET /: HTTP 300; this is another service's list of versions" NAME,
         ERROR_PROTOCOL},
        {404, NULL, "<title>404 Not Found</title>",
         "GET /: HTTP 404: 404 Not Found; this is a web page" NAME, ERROR_PROTOCOL},
        {302, "Location: https://other/placement/\r\n", "",
         "GET /: HTTP 302; it redirects to https://other/placement/, which is not "
         "followed" NAME,
         ERROR_PROTOCOL},
        {401, NULL, "{\"error\": {\"message\": \"No.\"}}",
         "GET /: HTTP 401: No.; Placement wants a token, and auth_type is none of "
         "those "
         "that have one; expected password, v3applicationcredential or another of "
         "Keystone's",
         ERROR_UNAUTHORIZED},
        {503, NULL, "<title>Back soon</title>", "GET /: HTTP 503: Back soon",
         ERROR_UNREACHABLE},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        _cleanup_pair_ struct pair pair;
        pair_open(&pair);
        peer_clear(pair.peer);
        peer_reply(pair.peer, cases[i].status, cases[i].headers, cases[i].body);
        assert_int_equal(pair_get_tree(&pair), -1);
        _cleanup_free_ char *text = pair_text(&pair);
        assert_string_equal(text, cases[i].text);
        assert_int_equal(pair.err.code, cases[i].code);
    }
}

/* A server that was replaced by an older one. */
static void agrees_again_after_406(void **state)
{
    (void)state;
    _cleanup_pair_ struct pair pair;
    pair_open(&pair);
    peer_ok(pair.peer, NO_PROVIDERS);
    assert_ok(pair_get_tree(&pair), &pair.err);
    peer_reply(pair.peer, 406, NULL, "{\"errors\": [{\"detail\": \"no\"}]}");
    peer_ok(pair.peer, VERSIONS("1.0", "1.30"));
    peer_ok(pair.peer, NO_PROVIDERS);
    assert_ok(pair_get_tree(&pair), &pair.err);
    assert_request(&pair, 3, "GET /");
    assert_true(has_line(&pair, 4, "OpenStack-API-Version: placement 1.30"));
}

static void gives_up_after_a_second_406(void **state)
{
    (void)state;
    _cleanup_pair_ struct pair pair;
    pair_open(&pair);
    peer_reply(pair.peer, 406, NULL, "{\"errors\": [{\"detail\": \"no\"}]}");
    peer_ok(pair.peer, VERSIONS("1.0", "1.39"));
    peer_reply(pair.peer, 406, NULL, "{\"errors\": [{\"detail\": \"no\"}]}");
    assert_int_equal(pair_get_tree(&pair), -1);
    assert_int_equal(pair.err.code, ERROR_UNSUPPORTED);
    assert_int_equal(peer_request_count(pair.peer), 4);
}

/* ---- options ---- */

#define URL "http://127.0.0.1:1"
static void refuses_wrong_options(void **state)
{
    (void)state;
    static const struct {
        struct placement_config options;
        const char *text;
    } cases[] = {
        {{.endpoint = (char *)URL},
         "placement: auth_type is not set; supported: none, "},
        {{.auth_type = (char *)"v2password"},
         "placement: auth_type 'v2password' is not supported; supported: none, noauth, "
         "admin_token, http_basic"},
        {{.auth_type = (char *)"admin_token"},
         "placement: auth_type admin_token: token is not set"},
        {{.auth_type = (char *)"admin_token", .token = (char *)"pass\nX-Evil: 1"},
         "placement: auth_type admin_token: token: a character that no token has, at "
         "position 4 of it"},
        {{.auth_type = (char *)"admin_token", .token = (char *)""},
         "placement: auth_type admin_token: token: an empty token"},
        {{.auth_type = (char *)"http_basic", .username = (char *)"u"},
         "placement: auth_type http_basic: username and password must both be set"},
        {{.auth_type = (char *)"none", .endpoint = (char *)"127.0.0.1:8778"},
         "placement.endpoint: not a URL: expected http://HOST[:PORT][/PATH] or "},
        {{.auth_type = (char *)"none", .endpoint = (char *)"ftp://host/"},
         "placement.endpoint: not a URL: "},
        {{.auth_type = (char *)"none", .endpoint_override = (char *)"http://"},
         "placement.endpoint_override: not a URL: "},
        {{.auth_type = (char *)"none", .endpoint = (char *)"http://u:hunter2@host/"},
         "placement.endpoint: not that kind of URL: "},
        {{.auth_type = (char *)"none", .endpoint = (char *)"http://host/?a=hunter2"},
         "placement.endpoint: not that kind of URL: "},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct placement_client *client = NULL;
        struct error err = {0};
        assert_int_equal(placement_client_new(&cases[i].options, &client, &err), -1);
        assert_null(client);
        if (strncmp(err.text, cases[i].text, strlen(cases[i].text)) != 0)
            fail_msg("%s", err.text);
        assert_null(strstr(err.text, "hunter2"));
        assert_int_equal(err.code, ERROR_INVALID);
    }
}

static void needs_an_endpoint(void **state)
{
    (void)state;
    const struct placement_config options = {.auth_type = (char *)"none"};
    _cleanup_(placement_client_freep) struct placement_client *client = NULL;
    struct error err = {0};
    assert_ok(placement_client_new(&options, &client, &err), &err);
    bool made;
    assert_int_equal(placement_create_trait(client, "CUSTOM_A", &made, &err), -1);
    assert_string_equal(err.text, "auth_type none: neither endpoint_override nor "
                                  "endpoint is set");
}

static void basic_authentication(void **state)
{
    (void)state;
    _cleanup_pair_ struct pair pair;
    pair_open(&pair);
    placement_client_free(pair.client);
    pair.options.auth_type = (char *)"http_basic";
    pair.options.username = (char *)"user";
    pair.options.password = (char *)"pass:word";
    assert_ok(placement_client_new(&pair.options, &pair.client, &pair.err), &pair.err);
    peer_ok(pair.peer, NO_PROVIDERS);
    assert_ok(pair_get_tree(&pair), &pair.err);
    assert_true(has_line(&pair, 1, "Authorization: Basic dXNlcjpwYXNzOndvcmQ="));
    peer_reply(pair.peer, 401, NULL, "");
    assert_int_equal(pair_get_tree(&pair), -1);
    assert_int_equal(pair.err.code, ERROR_UNAUTHORIZED);
    assert_int_equal(peer_request_count(pair.peer), 3);
}

/* A proxy or a password that the environment names is not ours. */
static void ignores_the_environment(void **state)
{
    (void)state;
    setenv("http_proxy", "http://127.0.0.1:1", 1);
    setenv("all_proxy", "http://127.0.0.1:1", 1);
    _cleanup_pair_ struct pair pair;
    pair_open(&pair);
    peer_ok(pair.peer, NO_PROVIDERS);
    assert_ok(pair_get_tree(&pair), &pair.err);
    unsetenv("http_proxy");
    unsetenv("all_proxy");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(says_who_and_which_version),
        cmocka_unit_test(keeps_version_and_connection),
        cmocka_unit_test(opens_the_connection_again),
        cmocka_unit_test(endpoint_may_have_a_path),
        cmocka_unit_test(any_call_at_an_older_version),
        cmocka_unit_test(large_replies_where_told),
        cmocka_unit_test(verbs_send_what_placement_wants),
        cmocka_unit_test(verbs_give_what_placement_says),
        cmocka_unit_test(asks_for_traits_in_parts),
        cmocka_unit_test(agrees_on_a_version),
        cmocka_unit_test(says_what_answers_in_its_place),
        cmocka_unit_test(agrees_again_after_406),
        cmocka_unit_test(gives_up_after_a_second_406),
        cmocka_unit_test(refuses_wrong_options),
        cmocka_unit_test(needs_an_endpoint),
        cmocka_unit_test(basic_authentication),
        cmocka_unit_test(ignores_the_environment),
    };
    return cmocka_run_group_tests_name("client", tests, NULL, NULL);
}
