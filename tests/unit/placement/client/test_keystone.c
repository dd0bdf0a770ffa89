#include "tests/unit/test.h"

#include <stdlib.h>
#include <string.h>

#include "lib/xalloc.h"
#include "placement/client/auth.h"
#include "placement/client/keystone.h"

/* ---- what is asked ---- */

#define S(text) ((char *)(text))
#define PASSWORD(user)                                                            \
    "{\"auth\":{\"identity\":{\"methods\":[\"password\"],\"password\":{\"user\":" \
    "{" user ",\"password\":\"p\\\"w\"}}}"
#define CREDENTIAL(what)                                                               \
    "{\"auth\":{\"identity\":{\"methods\":[\"application_credential\"],\"application_" \
    "credential\":{" what ",\"secret\":\"s3\"}}}}"

static void writes_what_keystone_wants(void **state)
{
    (void)state;
    static const struct {
        struct placement_config options;
        const char *body;
    } cases[] = {
        {{.auth_type = S("password"),
          .username = S("u"),
          .password = S("p\"w"),
          .user_domain_name = S("Default"),
          .project_name = S("service"),
          .project_domain_id = S("default")},
         PASSWORD(
             "\"name\":\"u\",\"domain\":{\"name\":\"Default\"}") ",\"scope\":{"
                                                                 "\"project\":{"
                                                                 "\"name\":\"service\","
                                                                 "\"domain\":{\"id\":"
                                                                 "\"default\"}}}}}"},
        {{.auth_type = S("v3password"),
          .user_id = S("7"),
          .username = S("u"),
          .user_domain_id = S("d"),
          .password = S("p\"w"),
          .project_id = S("9")},
         PASSWORD("\"id\":\"7\"") ",\"scope\":{\"project\":{\"id\":\"9\"}}}}"},
        {{.auth_type = S("password"),
          .username = S("u"),
          .password = S("p\"w"),
          .default_domain_id = S("dd"),
          .project_name = S("x")},
         PASSWORD(
             "\"name\":\"u\",\"domain\":{\"id\":\"dd\"}") ",\"scope\":{\"project\":{"
                                                          "\"name\":\"x\",\"domain\":{"
                                                          "\"id\":\"dd\"}}}}}"},
        {{.auth_type = S("password"),
          .username = S("u"),
          .password = S("p\"w"),
          .system_scope = S("all")},
         PASSWORD("\"name\":\"u\"") ",\"scope\":{\"system\":{\"all\":true}}}}"},
        {{.auth_type = S("password"),
          .username = S("u"),
          .password = S("p\"w"),
          .domain_name = S("dom")},
         PASSWORD("\"name\":\"u\"") ",\"scope\":{\"domain\":{\"name\":\"dom\"}}}}"},
        {{.auth_type = S("password"),
          .username = S("u"),
          .password = S("p\"w"),
          .trust_id = S("t1")},
         PASSWORD(
             "\"name\":\"u\"") ",\"scope\":{\"OS-TRUST:trust\":{\"id\":\"t1\"}}}}"},
        {{.auth_type = S("password"), .username = S("u"), .password = S("p\"w")},
         PASSWORD("\"name\":\"u\"") "}}"},
        {{.auth_type = S("v3token"), .token = S("tok"), .project_id = S("9")},
         "{\"auth\":{\"identity\":{\"methods\":[\"token\"],\"token\":{\"id\":\"tok\"}},"
         "\"scope\":{\"project\":{\"id\":\"9\"}}}}"},
        /* A scope would be refused. */
        {{.auth_type = S("v3applicationcredential"),
          .application_credential_id = S("ac"),
          .application_credential_secret = S("s3"),
          .project_id = S("9"),
          .domain_id = S("8")},
         CREDENTIAL("\"id\":\"ac\"")},
        {{.auth_type = S("v3applicationcredential"),
          .application_credential_name = S("acn"),
          .application_credential_secret = S("s3"),
          .username = S("u"),
          .user_domain_id = S("d")},
         CREDENTIAL(
             "\"name\":\"acn\",\"user\":{\"name\":\"u\",\"domain\":{\"id\":\"d\"}}")},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        _cleanup_(keystone_secret_freep) char *body = NULL;
        size_t length;
        struct error err = {0};
        assert_ok(keystone_request(&cases[i].options, &body, &length, &err), &err);
        assert_string_equal(body, cases[i].body);
        assert_int_equal(length, strlen(body));
    }
}

static void says_what_is_missing(void **state)
{
    (void)state;
    static const struct {
        struct placement_config options;
        const char *text;
    } cases[] = {
        {{.auth_type = S("password"), .password = S("p")},
         "neither username nor user_id is set"},
        {{.auth_type = S("password"), .username = S("p")}, "password is not set"},
        {{.auth_type = S("v3token")}, "token is not set"},
        {{.auth_type = S("v3applicationcredential"),
          .application_credential_id = S("i")},
         "application_credential_secret is not set"},
        {{.auth_type = S("v3applicationcredential"),
          .application_credential_secret = S("s"),
          .application_credential_name = S("i")},
         "neither application_credential_id is set nor application_credential_name "
         "with "
         "a user"},
        {{.auth_type = S("password"),
          .username = S("u"),
          .password = S("p"),
          .project_id = S("1"),
          .domain_id = S("2")},
         "more than one scope: set a project, a domain, system_scope or trust_id"},
        {{.auth_type = S("password"), .username = S("u"), .password = S("p")},
         "auth_url is not set"},
        {{.auth_type = S("password"),
          .username = S("u"),
          .password = S("p"),
          .auth_url = S("http://h:5000/v2.0/")},
         "auth_url names version 2 of Keystone's API; expected 3"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct auth *auth = NULL;
        struct error err = {0};
        assert_int_equal(auth_keystone_new(&cases[i].options, &auth, &err), -1);
        assert_string_equal(err.text, cases[i].text);
        assert_int_equal(err.code, ERROR_INVALID);
    }
}

static void finds_where_tokens_are(void **state)
{
    (void)state;
    static const struct {
        const char *auth_url, *url;
    } cases[] = {
        {"http://h:5000", "http://h:5000/v3/auth/tokens"},
        {"http://h:5000/", "http://h:5000/v3/auth/tokens"},
        {"http://h:5000/v3", "http://h:5000/v3/auth/tokens"},
        {"http://h/identity/v3//", "http://h/identity/v3/auth/tokens"},
        {"http://h/identity", "http://h/identity/v3/auth/tokens"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct placement_config options = {.auth_url = S(cases[i].auth_url)};
        _cleanup_free_ char *url = NULL;
        struct error err = {0};
        assert_ok(keystone_tokens_url(&options, &url, &err), &err);
        assert_string_equal(url, cases[i].url);
    }
}

/* ---- what is answered ---- */

static struct json_object *parse(const char *text)
{
    struct json_object *json = NULL;
    struct error err = {0};
    assert_ok(json_parse(text, strlen(text), &json, &err), &err);
    return json;
}

static void reads_the_times(void **state)
{
    (void)state;
    static const struct {
        const char *issued, *expires;
        int64_t expires_at, lifetime, renew_after;
        const char *text; /* NULL: good */
    } cases[] = {
        {"2026-11-20T08:00:00.000000Z", "2026-11-20T09:00:00.000000Z", 1795165200, 3600,
         3480},
        {"2026-11-20T08:00:00Z", "2026-11-20T08:04:00Z", 1795161840, 240, 120},
        {"2026-11-20T08:00:00Z", "2026-11-20T08:00:10Z", 1795161610, 10, 5},
        {"2026-11-20T08:00:00Z", "2026-11-20T07:00:00Z", 1795158000, 0, 0},
        {"2026-11-20T08:00:00Z", "2026-11-20T09:00:00+01:00",
         .text = "token: expires_at: '2026-11-20T09:00:00+01:00' is no time in UTC"},
        {"yesterday", "2026-11-20T09:00:00Z",
         .text = "token: issued_at: 'yesterday' is no time in UTC"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        _cleanup_free_ char *text =
            xasprintf("{\"token\": {\"issued_at\": \"%s\", \"expires_at\": \"%s\"}}",
                      cases[i].issued, cases[i].expires);
        _cleanup_json_ struct json_object *json = parse(text);
        struct keystone_token token;
        struct error err = {0};
        int rc = keystone_read_token(json, &token, &err);
        if (cases[i].text) {
            assert_int_equal(rc, -1);
            assert_string_equal(err.text, cases[i].text);
            continue;
        }
        assert_ok(rc, &err);
        assert_int_equal(token.expires_at, cases[i].expires_at);
        assert_int_equal(token.lifetime, cases[i].lifetime);
        assert_int_equal(keystone_renew_after(&token), cases[i].renew_after);
    }
}

#define ENDPOINT(interface, region, url)                          \
    "{\"interface\": \"" interface "\", \"region_id\": \"" region \
    "\", \"region\": \"" region "\", \"url\": \"" url "\"}"
#define SERVICE(type, name, endpoints) \
    "{\"type\": \"" type "\", \"name\": \"" name "\", \"endpoints\": [" endpoints "]}"
#define AT_K ENDPOINT("public", "One", "http://k")
#define AT_OLD ENDPOINT("public", "Three", "http://old")
#define AT_P1 ENDPOINT("public", "One", "http://p1")
#define AT_I2 ENDPOINT("internal", "Two", "http://i2")
#define AT_P2 ENDPOINT("public", "Two", "http://p2")
#define IDENTITY SERVICE("identity", "keystone", AT_K)
#define OLD SERVICE("placement", "old", AT_OLD)
#define PLACEMENT SERVICE("placement", "placement", AT_P1 "," AT_I2 "," AT_P2 ", 7, {}")
#define BARE "{\"type\": \"placement-extra\"}, null"
static const char catalog[] =
    "{\"token\": {\"catalog\": [" IDENTITY "," OLD "," PLACEMENT "," BARE "]}}";

static void picks_the_endpoint(void **state)
{
    (void)state;
    static const struct {
        const char *interfaces, *region, *type, *name;
        const char *url, *text;
    } cases[] = {
        {"", NULL, NULL, NULL, "http://i2"},
        {"public", NULL, NULL, "placement", "http://p1"},
        {"public", "Two", NULL, NULL, "http://p2"},
        {"internal public", "One", NULL, NULL, "http://p1"},
        {"public internal", "Two", NULL, NULL, "http://p2"},
        {"internal", "Two", NULL, NULL, "http://i2"},
        {"public", NULL, "identity", NULL, "http://k"},
        {"public", NULL, NULL, "old", "http://old"},
        {"internal", "One", NULL, NULL, NULL,
         "Keystone's catalog has no endpoint with service_type placement, region_name "
         "One, interface internal; it has public in Three, public in One, internal in "
         "Two, public in Two"},
        {"admin internal", "Nine", "compute", "nova", NULL,
         "Keystone's catalog has no endpoint with service_type compute, service_name "
         "nova, region_name Nine, interface admin, internal; it has services of the "
         "types identity, placement, placement-extra"},
        {"", "One", NULL, "other", NULL,
         "Keystone's catalog has no endpoint with service_type placement, service_name "
         "other, region_name One, interface internal, public; by that type it has the "
         "services old, placement"},
        {"", NULL, "placement-extra", NULL, NULL,
         "Keystone's catalog has no endpoint with service_type placement-extra, "
         "interface internal, public; it has services of the types identity, "
         "placement, "
         "placement-extra"},
    };
    _cleanup_json_ struct json_object *json = parse(catalog);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        _cleanup_strlist_ struct strlist interfaces =
            cases[i].interfaces[0] ? strlist_split(cases[i].interfaces, ' ')
                                   : (struct strlist){0};
        const struct placement_config options = {.valid_interfaces = interfaces,
                                                 .region_name = S(cases[i].region),
                                                 .service_type = S(cases[i].type),
                                                 .service_name = S(cases[i].name)};
        _cleanup_free_ char *url = NULL;
        struct error err = {0};
        int rc = keystone_read_endpoint(json, &options, &url, &err);
        if (cases[i].url) {
            assert_ok(rc, &err);
            assert_string_equal(url, cases[i].url);
        } else {
            assert_int_equal(rc, -1);
            assert_string_equal(err.text, cases[i].text);
        }
    }
}

static void unscoped_tokens_have_no_catalog(void **state)
{
    (void)state;
    const struct placement_config options = {0};
    _cleanup_json_ struct json_object *json = parse("{\"token\": {}}");
    char *url = NULL;
    struct error err = {0};
    assert_int_equal(keystone_read_endpoint(json, &options, &url, &err), -1);
    assert_string_equal(err.text,
                        "token (is it scoped to a project?): catalog: missing, "
                        "expected an array");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_what_keystone_wants),
        cmocka_unit_test(says_what_is_missing),
        cmocka_unit_test(finds_where_tokens_are),
        cmocka_unit_test(reads_the_times),
        cmocka_unit_test(picks_the_endpoint),
        cmocka_unit_test(unscoped_tokens_have_no_catalog),
    };
    return cmocka_run_group_tests_name("keystone", tests, NULL, NULL);
}
