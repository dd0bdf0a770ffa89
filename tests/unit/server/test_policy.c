#include "tests/unit/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "placement/server/policy.h"
#include "placement/server/policy_check.h"

static const struct policy_check *no_rule(const void *context, const char *name)
{
    (void)context, (void)name;
    return NULL;
}

static bool allowed(const char *text, const struct identity *identity)
{
    struct policy_check *check;
    struct error err;
    assert_ok(policy_check_parse(text, &check, &err), &err);
    const struct policy_question question = {
        .identity = identity, .project_id = "p1", .user_id = "u1", .rule = no_rule};
    bool result = policy_check_allows(check, &question);
    policy_check_free(check);
    return result;
}

static void evaluates_the_language(void **state)
{
    (void)state;
    const struct identity identity = {.user_id = (char *)"u1",
                                      .project_id = (char *)"p1",
                                      .roles = (char *)"Member, reader",
                                      .system_scope = (char *)"all"};
    static const struct {
        const char *rule;
        bool allowed;
    } cases[] = {
        {"", true},
        {"@", true},
        {"!", false},
        {"not !", true},
        {"role:reader", true},
        {"role:MEMBER", true},
        {"role:admin", false},
        {"role:read", false},
        {"role:reader and system_scope:all", true},
        {"role:admin or role:reader", true},
        {"role:admin and role:reader or role:member", true},
        {"role:member or role:reader and role:admin", true},
        {"(role:member or role:reader) and role:admin", false},
        {"not role:admin and role:reader", true},
        {"not (role:admin or role:reader)", false},
        {"project_id:%(project_id)s", true},
        {"user_id:%(user_id)s", true},
        {"project_id:x%(project_id)s", false},
        {"project_id:%(nothing)s", false},
        {"nothing:p1", false},
        {"'p1':%(project_id)s", true},
        {"True:True", true},
        {"1:2", false},
        {"rule:missing", false},
        {"not rule:missing", true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (allowed(cases[i].rule, &identity) != cases[i].allowed)
            fail_msg("%s", cases[i].rule);
}

static void refuses_what_it_cannot_understand(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "role",       "(role:a",    "role:a)", "and role:a", "role:a role:b",
        "role:a and", "http://x/y", "not",     "()",         "role:a or or role:b"};
    char deep[101] = {0};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct policy_check *check;
        struct error err;
        if (policy_check_parse(bad[i], &check, &err) == 0)
            fail_msg("taken: %s", bad[i]);
    }
    memset(deep, '(', sizeof deep - 1);
    struct policy_check *check;
    assert_int_equal(policy_check_parse(deep, &check, NULL), -1);
}

#define LIST "placement:resource_providers:list"

static int ask(const struct policy_options *options, const char *rule,
               const struct identity *identity, const char *project)
{
    struct policy *policy;
    struct error err;
    struct reply reply = {0};
    assert_ok(policy_new(options, &policy, &err), &err);
    int rc = policy_enforce(policy, rule, identity, project, &reply);
    int status = rc == 0 ? 200 : reply.status;
    reply_clear(&reply);
    policy_free(policy);
    return status;
}

static void has_upstreams_defaults(void **state)
{
    (void)state;
    const struct identity admin = {.project_id = (char *)"p", .roles = (char *)"admin"};
    const struct identity reader = {.project_id = (char *)"p",
                                    .roles = (char *)"reader"};
    const struct identity system = {.system_scope = (char *)"all",
                                    .roles = (char *)"reader"};
    const struct policy_options old = {0}, new = {.enforce_new_defaults = true},
                                scoped = {.enforce_new_defaults = true,
                                          .enforce_scope = true},
                                old_scoped = {.enforce_scope = true};
    assert_int_equal(ask(&old, LIST, &admin, NULL), 200);
    assert_int_equal(ask(&old, LIST, &reader, NULL), 403);
    assert_int_equal(ask(&old, LIST, &system, NULL), 200);
    assert_int_equal(ask(&new, LIST, &admin, NULL), 403);
    assert_int_equal(ask(&new, LIST, &system, NULL), 200);
    assert_int_equal(ask(&new, "placement:traits:update", &system, NULL), 403);
    assert_int_equal(ask(&new, "placement:usages", &reader, "p"), 200);
    assert_int_equal(ask(&new, "placement:usages", &reader, "q"), 403);
    assert_int_equal(ask(&scoped, "placement:usages", &reader, "p"), 200);
    assert_int_equal(ask(&old_scoped, LIST, &admin, NULL), 403);
}

/* Writes a policy file and asks as a member. */
static int ask_with_file(const char *text, const char *rule, struct error *err)
{
    char path[] = "/tmp/placementd-policy-XXXXXX";
    const struct identity member = {.project_id = (char *)"p",
                                    .roles = (char *)"member"};
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
    const struct policy_options options = {.file = path};
    struct policy *policy;
    int status = -1;
    if (policy_new(&options, &policy, err) == 0) {
        policy_free(policy);
        status = ask(&options, rule, &member, NULL);
    }
    unlink(path);
    return status;
}

static void reads_a_file(void **state)
{
    (void)state;
    struct error err;
    assert_int_equal(ask_with_file("# nothing\n", LIST, &err), 403);
    assert_int_equal(ask_with_file("\"" LIST "\": \"role:member\"\n", LIST, &err), 200);
    assert_int_equal(
        ask_with_file("own: role:member\n\"" LIST "\": rule:own\n", LIST, &err), 200);
    /* An override of the base rule takes its old form away as well. */
    assert_int_equal(ask_with_file("system_reader_api: '@'\n", LIST, &err), 200);
    assert_int_equal(
        ask_with_file("a: rule:b\nb: rule:a\n\"" LIST "\": rule:a\n", LIST, &err), 403);
    assert_int_equal(ask_with_file("[1, 2]\n", LIST, &err), -1);
    assert_int_equal(ask_with_file("a: [1]\n", LIST, &err), -1);
    assert_int_equal(ask_with_file("a: 'b: c\n", LIST, &err), -1);
    assert_int_equal(ask_with_file("a: role\n", LIST, &err), -1);
    assert_non_null(strstr(err.text, "rule a"));
}

static void misses_a_file_only_where_it_must(void **state)
{
    (void)state;
    struct policy_options options = {.file = "/nonexistent/policy.yaml"};
    struct policy *policy;
    struct error err;
    assert_int_equal(policy_new(&options, &policy, &err), -1);
    options.file_may_be_missing = true;
    assert_ok(policy_new(&options, &policy, &err), &err);
    policy_free(policy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(evaluates_the_language),
        cmocka_unit_test(refuses_what_it_cannot_understand),
        cmocka_unit_test(has_upstreams_defaults),
        cmocka_unit_test(reads_a_file),
        cmocka_unit_test(misses_a_file_only_where_it_must),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
