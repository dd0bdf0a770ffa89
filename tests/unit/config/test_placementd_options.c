/* placementd's options: OpenStack Placement's names, our own, and which database. */
#include "config/placementd_options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/cleanup.h"
#include "lib/xalloc.h"
#include "tests/unit/config/config_test.h"
#include "tests/unit/test.h"

/* Loads the text as one file; the problems a line each, the caller's. */
static char *load_daemon(const char *text, struct placementd_config *config)
{
    char *folder = make_folder();
    struct strlist files = {0}, dirs = {0}, lines = {0};
    struct config_problems problems = {0};
    strlist_add_take(&files, write_file(folder, "p.conf", text, strlen(text)));
    int rc = placementd_config_load(&files, &dirs, config, &problems);
    assert_int_equal(rc, config_has_errors(&problems) ? -1 : 0);
    for (size_t i = 0; i < problems.count; i++)
        strlist_add(&lines, problems.items[i].text);
    char *joined = strlist_join(&lines, "\n");
    strlist_clear(&files), strlist_clear(&lines);
    config_problems_clear(&problems);
    remove_folder(folder);
    free(folder);
    return joined;
}

static void defaults_are_placements(void **state)
{
    (void)state;
    struct placementd_config c = {0};
    char *problems = load_daemon("", &c);
    assert_string_equal(problems, "");
    assert_string_equal(c.placementd.listen, "127.0.0.1:8778");
    assert_int_equal(c.api.auth_strategy, AUTH_KEYSTONE);
    assert_int_equal(c.placement.max_allocation_candidates, 100000);
    assert_int_equal(c.placement.allocation_candidates_generation_strategy,
                     CANDIDATES_DEPTH_FIRST);
    assert_false(c.placement.randomize_allocation_candidates);
    assert_string_equal(c.placement.incomplete_consumer_project_id,
                        "00000000-0000-0000-0000-000000000000");
    assert_int_equal(c.placementd.policy_release, POLICY_RELEASE_2023_1);
    assert_int_equal(c.placementd.behaviour_release, BEHAVIOUR_RELEASE_2025_2);
    assert_false(c.oslo_policy.enforce_new_defaults);
    assert_false(c.oslo_policy.enforce_scope);
    assert_int_equal(c.cors.allow_methods.count, 5);
    assert_int_equal(c.cors.allowed_origin.count, 0);
    assert_int_equal(c.keystone_authtoken.token_cache_time, 300);
    placementd_config_clear(&c);
    free(problems);
}

/* oslo.policy's defaults go with the release of the rules; a file is above both. */
static void the_release_says_what_is_enforced(void **state)
{
    static const struct {
        const char *text;
        bool new_defaults, scope;
    } cases[] = {
        {"[placementd]\npolicy_release = 2024.2\n", true, true},
        {"[placementd]\npolicy_release = 2023.1\n", false, false},
        {"[placementd]\npolicy_release = zed\n", false, false},
        {"[oslo_policy]\nenforce_scope = true\n", false, true},
        {"[placementd]\npolicy_release = 2024.2\n"
         "[oslo_policy]\nenforce_new_defaults =\nenforce_scope = no\n",
         true, false},
        {"[placementd]\npolicy_release = zed\n[oslo_policy]\n"
         "enforce_new_defaults = true\n",
         true, false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct placementd_config c = {0};
        char *problems = load_daemon(cases[i].text, &c);
        if (*problems || c.oslo_policy.enforce_new_defaults != cases[i].new_defaults ||
            c.oslo_policy.enforce_scope != cases[i].scope)
            fail_msg("case %zu: %s", i, problems);
        placementd_config_clear(&c);
        free(problems);
    }
}

static void a_file_of_openstack_placement(void **state)
{
    (void)state;
    struct placementd_config c = {0};
    char *problems = load_daemon(
        "[DEFAULT]\ndebug = False\nlog_file = /var/log/placement.log\n"
        "auth_strategy = noauth2\n"
        "[placement_database]\nconnection = sqlite:////srv/p.db\nmax_pool_size = 25\n"
        "[placement]\nallocation_candidates_generation_strategy = breadth-first\n"
        "max_allocation_candidates = 1000\nrandomize_allocation_candidates = yes\n"
        "[workarounds]\noptimize_for_wide_provider_trees = true\n"
        "[oslo_policy]\npolicy_file = /etc/placement/policy.yaml\n"
        "enforce_new_defaults = True\nenforce_scope = True\n"
        "[cors]\nallowed_origin = http://valid.example.com\n"
        "allow_headers = openstack-api-version\n"
        "[keystone_authtoken]\nwww_authenticate_uri = http://k:5000\nauth_url = "
        "http://k:5000\n"
        "memcached_servers = controller:11211\nauth_type = password\n"
        "project_domain_name = Default\nuser_domain_name = Default\nproject_name = "
        "service\n"
        "username = placement\npassword = PASS\nhttp_connect_timeout = 5\n",
        &c);
    assert_string_equal(problems, "");
    assert_int_equal(c.api.auth_strategy, AUTH_NOAUTH2);
    assert_int_equal(c.placement.allocation_candidates_generation_strategy,
                     CANDIDATES_BREADTH_FIRST);
    assert_int_equal(c.placement.max_allocation_candidates, 1000);
    assert_true(c.placement.randomize_allocation_candidates);
    assert_true(c.workarounds.optimize_for_wide_provider_trees);
    assert_true(c.oslo_policy.enforce_scope);
    assert_string_equal(c.cors.allowed_origin.items[0], "http://valid.example.com");
    assert_string_equal(c.keystone.username, "placement");
    assert_string_equal(c.keystone.section, "keystone_authtoken");
    assert_null(c.keystone.service_type);
    assert_true(c.keystone.timeout == 5);
    char *database = NULL;
    struct error err;
    assert_ok(placementd_config_database(&c, &database, &err), &err);
    assert_string_equal(database, "/srv/p.db");
    free(database), free(problems);
    placementd_config_clear(&c);
}

static void the_environment_wins_over_files(void **state)
{
    (void)state;
    static const char *const good[][2] = {
        {"OS_API__AUTH_STRATEGY", "noauth2"},
        {"OS_PLACEMENT_DATABASE__CONNECTION", "sqlite:////srv/e.db"},
        {"OS_KEYSTONE_AUTHTOKEN__USERNAME", "other"},
        {"OS_CORS__ALLOWED_ORIGIN", "http://a,http://b"},
        {"OS_USERNAME", "nobody"}, /* no option */
        {"OS___X", "y"},
    };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        setenv(good[i][0], good[i][1], 1);
    struct placementd_config c = {0};
    char *problems = load_daemon("[api]\nauth_strategy = keystone\n"
                                 "[keystone_authtoken]\nusername = placement\n",
                                 &c);
    assert_string_equal(problems, "");
    assert_int_equal(c.api.auth_strategy, AUTH_NOAUTH2);
    assert_string_equal(c.placement_database.connection, "sqlite:////srv/e.db");
    assert_string_equal(c.keystone.username, "other");
    assert_int_equal(c.cors.allowed_origin.count, 2);
    placementd_config_clear(&c);
    free(problems);
    setenv("OS_API__AUTH_STRATEGY", "noauth", 1);
    setenv("OS_CORS__MAX_AGE", "1\n2", 1);
    problems = load_daemon("", &c);
    assert_non_null(strstr(problems, "OS_CORS__MAX_AGE: expected one line"));
    assert_non_null(strstr(problems, "api.auth_strategy: 'noauth' is not accepted"));
    placementd_config_clear(&c);
    free(problems);
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        unsetenv(good[i][0]);
    unsetenv("OS_CORS__MAX_AGE");
}

static void bad_input(void **state)
{
    (void)state;
    static const struct {
        const char *text, *problems;
    } cases[] = {
        {"[placement_database]\nconnection = mysql+pymysql://root:pw@h/placement\n",
         "placement_database.connection: not accepted; expected sqlite:/// and an "
         "absolute "
         "path, as sqlite:////var/lib/placementd/placement.db"},
        {"[placement_database]\nconnection = sqlite:///relative\n",
         "placement_database.connection: not accepted; expected sqlite:/// and an "
         "absolute "
         "path, as sqlite:////var/lib/placementd/placement.db"},
        {"[api]\nauth_strategy = noauth\n",
         "api.auth_strategy: 'noauth' is not accepted; expected one of keystone, "
         "noauth2"},
        {"[placementd]\nlistenn = 1\n",
         "placementd.listenn: unknown option; did you mean listen?"},
        {"[placementd]\ncert = /c\n",
         "placementd.key: not set, but cert is; HTTPS needs "
         "both"},
        {"[placementd]\nkey = /c\n",
         "placementd.cert: not set, but key is; HTTPS needs "
         "both"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct placementd_config c = {0};
        char *problems = load_daemon(cases[i].text, &c);
        assert_string_equal(problems, cases[i].problems);
        placementd_config_clear(&c);
        free(problems);
    }
}

static void origins_that_no_page_has(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "foo",        "http://a/",  "a.example:80",    "http://",   "://a",
        "http://a/b", "http://a?b", "https://*.a.org", "http://u@a"};
    static const char *const good[] = {"http://a", "https://a.example:8443", "*",
                                       "null", "http://[::1]:80"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct placementd_config c = {0};
        _cleanup_free_ char *text =
            xasprintf("[cors]\nallowed_origin = http://ok, %s\n", bad[i]);
        _cleanup_free_ char *expected =
            xasprintf("cors.allowed_origin: '%s' is no page's origin; expected "
                      "protocol://host[:port] without a slash at the end",
                      bad[i]);
        _cleanup_free_ char *problems = load_daemon(text, &c);
        assert_string_equal(problems, expected);
        placementd_config_clear(&c);
    }
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        struct placementd_config c = {0};
        _cleanup_free_ char *text = xasprintf("[cors]\nallowed_origin = %s\n", good[i]);
        _cleanup_free_ char *problems = load_daemon(text, &c);
        assert_string_equal(problems, "");
        placementd_config_clear(&c);
    }
}

static void which_database(void **state)
{
    (void)state;
    struct placementd_config c = {0};
    struct error err;
    char *database = NULL;
    free(load_daemon("", &c));
    assert_int_equal(placementd_config_database(&c, &database, &err), -1);
    assert_ok(options_override(&placementd_options, &c, "placementd", "database", "/x",
                               "--database", &err),
              &err);
    assert_ok(placementd_config_database(&c, &database, &err), &err);
    assert_string_equal(database, "/x");
    free(database);
    placementd_config_clear(&c);
}

/* Of OpenStack's options only what looks like one of ours is worth a word. */
static void misspelt_and_misplaced_options(void **state)
{
    (void)state;
    static const char text[] =
        "[api]\nauth_stratgy = noauth2\n"
        "[placement]\nlisten = 0.0.0.0:8778\nallocation_conflict_retry_count = 10\n"
        "[placementd]\nconnection = sqlite:////srv/p.db\nsomething = else\n"
        "[placement_database]\nconection = x\nconnection_parameters = y\n"
        "slave_connection = z\nmax_pool_size = 5\nconnection_debug = 1\n"
        "[oslo_policy]\npolicy_fil = x\npolicy_default_rule = default\n"
        "remote_content_type = x\n"
        "[cors]\nallow_origin = x\n"
        "[keystone_authtoken]\nauth_ulr = http://k\nauth_uri = http://k\n"
        "auth_version = v3\ndelay_auth_decision = 1\nhttp_connect_timeout = 5\n"
        "http_request_max_retries = 3\ncache = x\nregion_name = R\n"
        "memcached_servers = m\nmemcache_secret_key = k\nmemcache_pool_maxsize = 9\n"
        "include_service_catalog = 0\nservice_token_roles = service\n"
        "service_token_roles_required = 1\nservice_type = placement\n"
        "interface = internal\n"
        "[placement_databases]\n[placementdb]\n[DEFAULT]\ndebug = 1\n"
        "[oslo_middleware]\n[profiler]\n[oslo_concurrency]\n";
    struct placementd_config c = {0};
    _cleanup_free_ char *problems = load_daemon(text, &c);
    assert_string_equal(
        problems,
        "[placement_databases]: not used; did you mean [placement_database]?\n"
        "[placementdb]: not used; did you mean [placementd]?\n"
        "api.auth_stratgy: unknown option; did you mean auth_strategy?\n"
        "placement.listen: not used; it belongs into [placementd]\n"
        "placementd.connection: not used; it belongs into [placement_database]\n"
        "placementd.something: unknown option, not used\n"
        "placement_database.conection: unknown option; did you mean connection?\n"
        "oslo_policy.policy_fil: unknown option; did you mean policy_file?\n"
        "cors.allow_origin: unknown option; did you mean allowed_origin?\n"
        "keystone_authtoken.auth_ulr: unknown option; did you mean auth_url?");
    placementd_config_clear(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_are_placements),
        cmocka_unit_test(the_release_says_what_is_enforced),
        cmocka_unit_test(a_file_of_openstack_placement),
        cmocka_unit_test(the_environment_wins_over_files),
        cmocka_unit_test(bad_input),
        cmocka_unit_test(misspelt_and_misplaced_options),
        cmocka_unit_test(origins_that_no_page_has),
        cmocka_unit_test(which_database),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
