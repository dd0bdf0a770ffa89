#include "tests/unit/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "placement/server/policy/check.h"
#include "placement/server/policy/file.h"
#include "placement/server/policy/paths.h"
#include "placement/server/policy/policy.h"

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
                                      .user_domain_id = (char *)"d",
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
        {"user_domain_id:d", true},
        {"project_domain_id:d", false},
        {"project_domain_id:None", true},
        {"is_admin_project:True", true},
        {"is_admin_project:False", false},
        {"1:2", false},
        {"system:all", true},
        {"system:None", false},
        {"roles:Member", true},
        {"roles:reader", true},
        {"roles:member", false},
        {"roles:admin", false},
        {"not roles:reader", false},
        {"roles:None", false},
        {"service_roles:service", false},
        {"service_user_id:None", true},
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
    static const char *const bad[] = {"role",
                                      "(role:a",
                                      "role:a)",
                                      "and role:a",
                                      "role:a role:b",
                                      "role:a and",
                                      "http://x/y",
                                      "not",
                                      "()",
                                      "role:a or or role:b",
                                      "'role:a'",
                                      "\"role:a\"",
                                      "not 'role:a'",
                                      "role:a or 'p':'p'"};
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
#define USAGES "placement:usages"

static int ask(const struct policy_options *options, enum policy_rule rule,
               const struct identity *identity, const char *project)
{
    struct policy *policy;
    struct error err;
    struct reply reply = {0};
    assert_ok(policy_new(options, &policy, &err), &err);
    int rc = policy_enforce(policy, rule, identity, project, NULL, &reply);
    int status = rc == 0 ? 200 : reply.status;
    reply_clear(&reply);
    policy_free(policy);
    return status;
}

enum mode { OLD, NEW, OLD_SCOPED, NEW_SCOPED, MODES };

/* What each release answers to whom: with the old rules, with the new ones alone, and
 * both with scopes enforced. */
static void has_upstreams_defaults(void **state)
{
    (void)state;
    char p[] = "p", all[] = "all", domain[] = "d", admin[] = "admin",
         service[] = "service", reader[] = "member,reader", roles[] = "admin,reader";
    const struct {
        enum policy_rule rule;
        struct identity identity;
        const char *project;
        int of_2023_1[MODES], of_zed[MODES];
    } cases[] = {
        {POLICY_RESOURCE_PROVIDERS_LIST,
         {.project_id = p, .roles = admin},
         p,
         {200, 200, 200, 200},
         {200, 403, 403, 403}},
        {POLICY_RESOURCE_PROVIDERS_LIST,
         {.project_id = p, .roles = service},
         p,
         {200, 200, 200, 200},
         {403, 403, 403, 403}},
        {POLICY_RESOURCE_PROVIDERS_LIST,
         {.project_id = p, .roles = reader},
         p,
         {403, 403, 403, 403},
         {403, 403, 403, 403}},
        {POLICY_RESOURCE_PROVIDERS_LIST,
         {.system_scope = all, .roles = reader},
         NULL,
         {403, 403, 403, 403},
         {200, 200, 200, 200}},
        {POLICY_RESOURCE_PROVIDERS_LIST,
         {.domain_id = domain, .roles = admin},
         NULL,
         {200, 200, 403, 403},
         {200, 403, 403, 403}},
        {POLICY_TRAITS_UPDATE,
         {.system_scope = all, .roles = reader},
         NULL,
         {403, 403, 403, 403},
         {403, 403, 403, 403}},
        {POLICY_TRAITS_UPDATE,
         {.system_scope = all, .roles = roles},
         NULL,
         {200, 200, 403, 403},
         {200, 200, 200, 200}},
        {POLICY_USAGES,
         {.project_id = p, .roles = reader},
         "p",
         {200, 200, 200, 200},
         {200, 200, 200, 200}},
        {POLICY_USAGES,
         {.project_id = p, .roles = reader},
         "q",
         {403, 403, 403, 403},
         {403, 403, 403, 403}},
        {POLICY_USAGES,
         {.project_id = p, .roles = service},
         "q",
         {200, 200, 200, 200},
         {403, 403, 403, 403}},
        {POLICY_RESHAPER_RESHAPE,
         {.project_id = p, .roles = admin},
         p,
         {200, 403, 200, 403},
         {200, 403, 403, 403}},
        {POLICY_RESHAPER_RESHAPE,
         {.project_id = p, .roles = service},
         p,
         {200, 200, 200, 200},
         {403, 403, 403, 403}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (int mode = OLD; mode < MODES; mode++) {
            struct policy_options options = {
                .enforce_new_defaults = mode == NEW || mode == NEW_SCOPED,
                .enforce_scope = mode == OLD_SCOPED || mode == NEW_SCOPED};
            int newer =
                ask(&options, cases[i].rule, &cases[i].identity, cases[i].project);
            options.release = POLICY_RELEASE_ZED;
            int zed =
                ask(&options, cases[i].rule, &cases[i].identity, cases[i].project);
            if (newer != cases[i].of_2023_1[mode] || zed != cases[i].of_zed[mode])
                fail_msg("case %zu, mode %d: %d and %d", i, mode, newer, zed);
        }
}

/* Writes a policy file and asks as a member. */
static int ask_with_file(const char *text, enum policy_rule rule, struct error *err)
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
    assert_int_equal(ask_with_file("# nothing\n", POLICY_RESOURCE_PROVIDERS_LIST, &err),
                     403);
    assert_int_equal(ask_with_file("\"" LIST "\": \"role:member\"\n",
                                   POLICY_RESOURCE_PROVIDERS_LIST, &err),
                     200);
    assert_int_equal(ask_with_file("own: role:member\n\"" LIST "\": rule:own\n",
                                   POLICY_RESOURCE_PROVIDERS_LIST, &err),
                     200);
    /* An override of the base rule takes its old form away as well. */
    assert_int_equal(ask_with_file("admin_or_service_api: '@'\n",
                                   POLICY_RESOURCE_PROVIDERS_LIST, &err),
                     200);
    /* The deprecated name stands for all that it was split into, */
    assert_int_equal(ask_with_file("'rule:admin_api': role:member\n",
                                   POLICY_RESOURCE_PROVIDERS_LIST, &err),
                     200);
    assert_int_equal(ask_with_file("'rule:admin_api': role:member\n"
                                   "admin_or_service_api: '!'\n",
                                   POLICY_RESOURCE_PROVIDERS_LIST, &err),
                     403);
    /* but says nothing where it names its successor, as in generated files. */
    assert_int_equal(ask_with_file("'rule:admin_api': rule:admin_or_service_api\n",
                                   POLICY_RESOURCE_PROVIDERS_LIST, &err),
                     403);
    assert_int_equal(ask_with_file("default: '@'\nown: rule:nowhere\n"
                                   "\"" LIST "\": rule:own\n",
                                   POLICY_RESOURCE_PROVIDERS_LIST, &err),
                     200);
    assert_int_equal(ask_with_file("[1, 2]\n", POLICY_RESOURCE_PROVIDERS_LIST, &err),
                     -1);
    assert_int_equal(ask_with_file("a: [1]\n", POLICY_RESOURCE_PROVIDERS_LIST, &err),
                     -1);
    assert_int_equal(ask_with_file("a: 'b: c\n", POLICY_RESOURCE_PROVIDERS_LIST, &err),
                     -1);
    assert_int_equal(ask_with_file("a: role\n", POLICY_RESOURCE_PROVIDERS_LIST, &err),
                     -1);
    assert_non_null(strstr(err.text, "rule a"));
}

static int take_nothing(void *context, const char *name, const char *rule,
                        struct error *err)
{
    (void)context, (void)name, (void)rule, (void)err;
    return 0;
}

/* As PyYAML, which oslo.policy reads them with. */
static void takes_one_document_without_tabs(void **state)
{
    (void)state;
    static const struct {
        const char *text, *problem; /* NULL: it is taken */
    } cases[] = {
        {"", NULL},
        {"# nothing\t\n", NULL},
        {"---\na: '@'\n...\n", NULL},
        {"\xef\xbb\xbf"
         "a: '@'\n",
         NULL},
        {"\xc3\xa9: '@' #\tx\n#\t\nb: \"\xc3\xa9\tc\"\n", NULL},
        {"a: |\n  x\ty\n", NULL},
        {"{\n\t\"a\":\t\"@\"\n}\n", NULL},
        {"a: 'x\n  \ty'\n", NULL},
        {"a: '@'\n---\na: '!'\n", "line 2: a second document"},
        {"# x\n---\n---\na: '!'\n", "line 3: a second document"},
        {"a: '@'\n---\na: '!\n", "line "},
        {"\xc3\xa9: '@'\na:\t'@'\n", "line 2: a tab"},
        {"a: '@'\t\n", "line 1: a tab"},
        {"a: b\tc\n", "line 1: a tab"},
        {"a:\n  b\n  \tc\n", "line 3: a tab"},
        {"a: b\n\t\n", "line 2: "},
        {"a: b\t# c\n", "line 1: a tab"},
        {"{a:\tb}\n", "line 1: a tab"},
        {"---\t{a: b}\n", "line 1: a tab"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct error err = {0};
        const char *text = cases[i].text, *problem = cases[i].problem;
        int rc = policy_file_parse(text, strlen(text), take_nothing, NULL, &err);
        if (rc != (problem ? -1 : 0) || (problem && !strstr(err.text, problem)))
            fail_msg("%s: %s", text, err.text);
    }
}

static void refuses_rules_that_refer_to_themselves(void **state)
{
    (void)state;
    static const struct {
        const char *text, *way;
    } cases[] = {
        {"a: rule:a\n\"" LIST "\": rule:a\n", "rule a refers to itself: a -> a"},
        {"a: rule:b\nb: rule:a\n\"" LIST "\": rule:a\n", "a -> b"},
        {"a: not rule:b\nb: rule:a\n\"" LIST "\": rule:b\n", "b -> a"},
        {"a: role:x or (role:y and not rule:c)\nb: rule:a\nc: rule:b\n\"" LIST
         "\": rule:c\n",
         "c -> b -> a -> c"},
        {"default: rule:default\n\"" LIST "\": rule:nowhere\n", "default -> default"},
        {"default: rule:a\na: rule:nowhere\n\"" LIST "\": rule:a\n",
         "a -> default -> a"},
        {"'rule:admin_api': rule:" LIST " or role:x\n",
         LIST " -> admin_or_service_api"},
    };
    struct error err;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(ask_with_file(cases[i].text, POLICY_TRAITS_LIST, &err), -1);
        if (!strstr(err.text, cases[i].way))
            fail_msg("%s: %s", cases[i].text, err.text);
    }
    /* Two ways to one rule are none. */
    assert_int_equal(
        ask_with_file("a: rule:b and rule:c\nb: rule:d\nc: rule:d\nd: '@'\n"
                      "\"" LIST "\": rule:a\n",
                      POLICY_RESOURCE_PROVIDERS_LIST, &err),
        200);
}

/* The same, and what the log was told, as much of it as `said` has room for. */
static int ask_and_listen(const char *text, enum policy_rule rule, char *said,
                          size_t size)
{
    struct error err;
    unsetenv("JOURNAL_STREAM");
    int file = memfd_create("log", 0), saved = dup(STDERR_FILENO);
    assert_true(file >= 0 && saved >= 0);
    dup2(file, STDERR_FILENO);
    int status = ask_with_file(text, rule, &err);
    dup2(saved, STDERR_FILENO);
    close(saved);
    ssize_t length = pread(file, said, size - 1, 0);
    assert_true(length >= 0);
    said[length] = 0;
    close(file);
    return status;
}

/* Other services may share the file, and what it says of them is theirs. */
static void warns_of_rules_that_it_does_not_need(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int status;
        const char *warning; /* NULL: none */
    } cases[] = {
        {"identity:x: rule:identity:y\nidentity:y: rule:identity:x\n" USAGES
         ": role:member\n",
         200, " -> identity:"},
        {"a: rule:a\n" USAGES ": role:member\n", 200, "a -> a"},
        /* An unknown name in the rule "default" is no cycle, and is not true. */
        {"default: rule:admin_required\n" USAGES ": role:member\n", 200, NULL},
        {"default: rule:admin_required\n" USAGES ": rule:nowhere\n", 403, NULL},
        {"default: rule:admin_required or role:member\n" USAGES ": rule:nowhere\n", 200,
         NULL},
    };
    char said[1000];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(
            ask_and_listen(cases[i].text, POLICY_USAGES, said, sizeof said),
            cases[i].status);
        if (!cases[i].warning)
            assert_string_equal(said, "");
        else if (!strstr(said, "warning policy: ") || !strstr(said, cases[i].warning))
            fail_msg("%s: %s", cases[i].text, said);
    }
}

/* A chain of so many rules, the last of which lets in, and what becomes of LIST. */
static int ask_chain(int count, struct error *err)
{
    char text[2000];
    FILE *out = fmemopen(text, sizeof text, "w");
    fprintf(out, "\"%s\": rule:r1\n", LIST);
    for (int i = 1; i < count; i++)
        fprintf(out, "r%d: rule:r%d\n", i, i + 1);
    fprintf(out, "r%d: '@'\n", count);
    assert_int_equal(fclose(out), 0);
    return ask_with_file(text, POLICY_RESOURCE_PROVIDERS_LIST, err);
}

static void refuses_longer_chains_than_it_follows(void **state)
{
    (void)state;
    struct error err;
    assert_int_equal(ask_chain(POLICY_CHECK_DEPTH, &err), 200);
    assert_int_equal(ask_chain(POLICY_CHECK_DEPTH + 1, &err), -1);
    assert_non_null(strstr(err.text, "more than 32 rules"));
    assert_int_equal(ask_chain(POLICY_CHECK_DEPTH + 20, &err), -1);
}

static void write_file(const char *folder, const char *name, const char *text)
{
    char path[200];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void remove_file(const char *folder, const char *name)
{
    char path[200];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    assert_int_equal(unlink(path), 0);
}

static void finds_its_files(void **state)
{
    (void)state;
    char first[] = "/tmp/placementd-first-XXXXXX",
         second[] = "/tmp/placementd-second-XXXXXX", file[] = "policy.yaml";
    char *places[] = {mkdtemp(first), mkdtemp(second)}, *path;
    const struct strlist list = {places, 2};
    struct placementd_config config = {.oslo_policy.policy_file = file};
    struct error err;
    assert_ok(policy_paths_file(&config, &list, &path, &err), &err);
    assert_null(path);
    write_file(second, "policy.yaml", "");
    assert_ok(policy_paths_file(&config, &list, &path, &err), &err);
    assert_memory_equal(path, second, strlen(second));
    free(path);
    write_file(first, "policy.yaml", "");
    assert_ok(policy_paths_file(&config, &list, &path, &err), &err);
    assert_memory_equal(path, first, strlen(first));
    free(path);
    /* One that was asked for by name must be there. */
    config.oslo_policy.policy_file = (char *)"rules.yaml";
    assert_int_equal(policy_paths_file(&config, &list, &path, &err), -1);
    config.oslo_policy.policy_file = (char *)"/nonexistent/policy.yaml";
    assert_int_equal(policy_paths_file(&config, &list, &path, &err), -1);
    remove_file(first, "policy.yaml");
    remove_file(second, "policy.yaml");
    rmdir(first);
    rmdir(second);
}

static void reads_folders_after_the_file(void **state)
{
    (void)state;
    char folder[] = "/tmp/placementd-policy.d-XXXXXX";
    char *folders[] = {mkdtemp(folder)};
    const struct strlist list = {folders, 1};
    const struct policy_options options = {.folders = &list};
    const struct identity member = {.project_id = (char *)"p",
                                    .roles = (char *)"member"};
    write_file(folder, "1.yaml", "\"" LIST "\": '!'\n");
    write_file(folder, "2.yaml", "\"" LIST "\": role:member\n");
    write_file(folder, ".3.yaml", "\"" LIST "\": '!'\n");
    assert_int_equal(ask(&options, POLICY_RESOURCE_PROVIDERS_LIST, &member, "p"), 200);
    remove_file(folder, "1.yaml");
    remove_file(folder, "2.yaml");
    remove_file(folder, ".3.yaml");
    rmdir(folder);
    struct policy *policy;
    assert_int_equal(policy_new(&options, &policy, NULL), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(evaluates_the_language),
        cmocka_unit_test(refuses_what_it_cannot_understand),
        cmocka_unit_test(has_upstreams_defaults),
        cmocka_unit_test(reads_a_file),
        cmocka_unit_test(takes_one_document_without_tabs),
        cmocka_unit_test(refuses_rules_that_refer_to_themselves),
        cmocka_unit_test(warns_of_rules_that_it_does_not_need),
        cmocka_unit_test(refuses_longer_chains_than_it_follows),
        cmocka_unit_test(finds_its_files),
        cmocka_unit_test(reads_folders_after_the_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
