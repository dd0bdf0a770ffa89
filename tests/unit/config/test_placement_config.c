/* [placement]: spellings, auth_section, and what each auth type needs. */
#include "config/placement_config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "lib/xalloc.h"
#include "tests/unit/config/config_test.h"
#include "tests/unit/test.h"

/* The problems of config_check_placement() for a file that loads, a line each. */
static char *check(const char *text)
{
    struct config *config = NULL;
    struct strlist lines = {0};
    struct config_problems problems = {0};
    assert_int_equal(load(text, strlen(text), &config, &lines), 0);
    assert_int_equal(lines.count, 0);
    config_check_placement(config, &problems);
    for (size_t i = 0; i < problems.count; i++)
        strlist_add(&lines, problems.items[i].text);
    char *joined = strlist_join(&lines, "\n");
    strlist_clear(&lines);
    config_problems_clear(&problems);
    config_free(config);
    return joined;
}

static void what_is_missing(void **state)
{
    (void)state;
    static const struct {
        const char *options, *problems;
    } cases[] = {
        {"",
         "placement.auth_type: not set; expected one of none, noauth, admin_token, "
         "password, v3password, v3applicationcredential, token, v3token, http_basic"},
        {"auth_type = none\nendpoint = http://h\n", ""},
        {"auth_type = noauth\nendpoint_override = http://h\n", ""},
        {"auth_type = none\n", "placement.endpoint_override or endpoint: not set; "
                               "auth_type = none needs it"},
        {"auth_type = admin_token\nurl = http://h\ntoken = t\n", ""},
        {"auth_type = admin_token\n",
         "placement.endpoint_override or endpoint: not set; "
         "auth_type = admin_token needs it\n"
         "placement.token: not set; auth_type = admin_token "
         "needs it"},
        {"auth_type = http_basic\nendpoint = http://h\nusername = u\n",
         "placement.password: not set; auth_type = http_basic needs it"},
        {"auth_type = password\nauth-url = http://k\nuser_name = u\npassword = p\n"
         "user-domain-name = d\ntenant-name = t\nproject_domain_id = d\n",
         ""},
        {"auth_type = password\nauth_url = http://k\nuser_id = u\npassword = p\n"
         "project_id = t\n",
         ""},
        {"auth_type = v3password\nauth_url = http://k\nusername = u\npassword = p\n"
         "default_domain_id = d\nproject_name = t\n",
         ""},
        {"auth_type = v3password\nauth_url = http://k\nusername = u\npassword = p\n"
         "project_name = t\n",
         "placement.user_domain_name or user_domain_id: not set; username is unique "
         "only "
         "within a domain\n"
         "placement.project_domain_name or project_domain_id: not set; project_name is "
         "unique only within a domain"},
        {"auth_type = password\n",
         "placement.auth_url: not set; auth_type = password needs it\n"
         "placement.username or user_id: not set; auth_type = password needs it\n"
         "placement.password: not set; auth_type = password needs it"},
        {"auth_type = v3applicationcredential\nauth_url = http://k\n"
         "application_credential_id = i\napplication-credential-secret = s\n",
         ""},
        {"auth_type = v3applicationcredential\nauth_url = http://k\n"
         "application_credential_name = n\napplication_credential_secret = s\n",
         "placement.username or user_id: not set; application_credential_name needs "
         "it"},
        {"auth_type = v3applicationcredential\nauth_url = http://k\n"
         "application_credential_name = n\napplication_credential_secret = s\n"
         "username = u\n",
         "placement.user_domain_name or user_domain_id: not set; username is unique "
         "only "
         "within a domain"},
        {"auth_type = v3token\nauth_url = http://k\n",
         "placement.token: not set; auth_type = v3token needs it"},
        {"auth_type = none\nendpoint = http://h\nkeyfile = /dev/null\n",
         "placement.certfile: not set, but keyfile is"},
        {"auth_type = none\nendpoint = http://h\ncafile = /nowhere/ca.pem\n"
         "certfile = /dev/null\nkeyfile = /nowhere/key.pem\n",
         "placement.cafile: /nowhere/ca.pem: No such file or directory\n"
         "placement.keyfile: /nowhere/key.pem: No such file or directory"},
        {"auth_type = token\nauth_url = http://k\ntoken = t\nproject_id = p\n"
         "system_scope = all\n",
         "placement.project, domain, system_scope, trust_id: more than one scope; set "
         "one of them"},
        {"auth_type = v3applicationcredential\nauth_url = http://k\n"
         "application_credential_id = i\napplication_credential_secret = s\n"
         "project_id = p\ntrust_id = t\n",
         ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *text = xasprintf("[placement]\n%s", cases[i].options);
        char *problems = check(text);
        assert_string_equal(problems, cases[i].problems);
        free(problems), free(text);
    }
}

static void an_auth_type_that_is_not_there(void **state)
{
    (void)state;
    static const char text[] = "[placement]\nauth_type = v3kerberos\n";
    assert_problems(
        text, strlen(text),
        (const char *const[]){
            "a.conf:2: placement.auth_type: 'v3kerberos' is not accepted; "
            "expected one of none, noauth, admin_token, password, v3password, "
            "v3applicationcredential, token, v3token, http_basic",
            NULL});
}

static void another_section_for_who_we_are(void **state)
{
    (void)state;
    _cleanup_(config_freep) struct config *config =
        load_text("[placement]\nauth_section = service_user\nregion-name = one\n"
                  "timeout = 5\n"
                  "[service_user]\nauth_type = password\nauth_url = http://k\n"
                  "username = nova\npassword = p$$w\nuser_id = u\nregion_name = two\n"
                  "timeout = 7\n");
    const struct placement_config *p = &config->placement;
    assert_string_equal(p->username, "nova");
    assert_string_equal(p->password, "p$w");
    assert_string_equal(p->auth_type, "password");
    assert_int_equal(p->auth_place.line, 6);
    assert_string_equal(p->region_name, "one");
    assert_true(p->timeout == 5);
    struct config_problems problems = {0};
    config_check_placement(config, &problems);
    assert_int_equal(problems.count, 0);
}

/* What would be misread without a word. */
static void what_is_not_used_is_said(void **state)
{
    (void)state;
    static const char text[] =
        "[placement]\nauth_section = who\nusername = me\ntenant-name = t\n"
        "regoin_name = one\nsplit-loggers = true\ncollect_timing = true\n"
        "min_version = 1\nmax_version = 2\nversion = 1\nincomplete_consumer_project_id "
        "= 1\n"
        "[who]\nauth_type = none\nsend_service_user_token = true\n";
    assert_problems(
        text, strlen(text),
        (const char *const[]){
            "a.conf:3: warning: placement.username: not used: auth_section names [who] "
            "in place of it",
            "a.conf:4: warning: placement.tenant-name: not used: auth_section names "
            "[who] in place of it",
            "a.conf:5: warning: placement.regoin_name: unknown option; did you mean "
            "region_name?",
            "a.conf:6: warning: placement.split-loggers: not used: there is one log",
            "a.conf:7: warning: placement.collect_timing: not used: nobody asks for "
            "timings",
            "a.conf:8: warning: placement.min_version: not used: the microversion is "
            "agreed on with the server",
            "a.conf:9: warning: placement.max_version: not used: the microversion is "
            "agreed on with the server",
            "a.conf:10: warning: placement.version: not used: Placement has one major "
            "version",
            NULL});
}

static void urls_that_would_be_misread(void **state)
{
    (void)state;
    static const struct {
        const char *value, *shown;
    } cases[] = {
        {"http://h/%(project_id)s", "'http://h/%(project_id)s' is not accepted"},
        {"http://h/?a=b", "'http://h/?a=b' is not accepted"},
        {"http://h/#x", "'http://h/#x' is not accepted"},
        {"http://me:hunter2@h/", "not accepted"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        _cleanup_free_ char *text =
            xasprintf("[placement]\nendpoint_override = %s\n", cases[i].value);
        _cleanup_free_ char *line = xasprintf(
            "a.conf:2: placement.endpoint_override: %s; expected "
            "http://HOST[:PORT][/PATH] or https://..., without user, query or "
            "%%(name)s",
            cases[i].shown);
        assert_problems(text, strlen(text), (const char *const[]){line, NULL});
    }
}

/* Whatever is wrong with a secret, no message shows any of it. */
static void secrets_are_not_shown(void **state)
{
    (void)state;
    static const char *const options[] = {"token", "password",
                                          "application_credential_secret"};
    for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
        char *text = xasprintf("[placement]\n%s = hunter$hunter2\n", options[i]);
        struct config *config = NULL;
        struct strlist problems = {0};
        assert_int_equal(load(text, strlen(text), &config, &problems), -1);
        assert_int_equal(problems.count, 1);
        assert_null(strstr(problems.items[0], "hunter"));
        strlist_clear(&problems);
        free(text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_missing),
        cmocka_unit_test(an_auth_type_that_is_not_there),
        cmocka_unit_test(another_section_for_who_we_are),
        cmocka_unit_test(what_is_not_used_is_said),
        cmocka_unit_test(urls_that_would_be_misread),
        cmocka_unit_test(secrets_are_not_shown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
