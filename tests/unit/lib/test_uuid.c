#include "lib/uuid.h"

#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/test.h"

#define SPACE "6ba7b810-9dad-11d1-80b4-00c04fd430c8" /* RFC 4122's for DNS names */

static void parses_the_form_with_dashes_only(void **state)
{
    (void)state;
    static const struct {
        const char *text, *out; /* NULL: refused */
    } cases[] = {
        {"aaaaaaaa-0000-4000-8000-000000000001",
         "aaaaaaaa-0000-4000-8000-000000000001"},
        {"AAAAAAAA-0000-4000-8000-00000000000F",
         "aaaaaaaa-0000-4000-8000-00000000000f"},
        {"", NULL},
        {"aaaaaaaa", NULL},
        {"aaaaaaaa00004000800000000000000001", NULL},
        {"{aaaaaaaa-0000-4000-8000-000000000001}", NULL},
        {"aaaaaaaa-0000-4000-8000-000000000001 ", NULL},
        {" aaaaaaaa-0000-4000-8000-00000000001", NULL},
        {"aaaaaaaa-0000-4000-8000-00000000000g", NULL},
        {"aaaaaaaa-0000-4000-80000-00000000001", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char out[UUID_TEXT_SIZE] = "untouched";
        bool ok = uuid_parse_text(cases[i].text, out);
        assert_int_equal(ok, cases[i].out != NULL);
        assert_string_equal(out, cases[i].out ? cases[i].out : "untouched");
    }
}

/* As Python: uuid.uuid5(uuid.NAMESPACE_DNS, "python.org"). */
static void computes_what_python_computes(void **state)
{
    (void)state;
    char out[UUID_TEXT_SIZE] = SPACE;
    uuid5_text(out, "python.org", out);
    assert_string_equal(out, "886313e1-3b8a-5372-9b90-0c9aee199e5d");
}

static void random_ones_differ(void **state)
{
    (void)state;
    char a[UUID_TEXT_SIZE], b[UUID_TEXT_SIZE];
    uuid4_text(a);
    uuid4_text(b);
    assert_string_not_equal(a, b);
    assert_int_equal(a[14], '4');
    assert_true(uuid_parse_text(a, b));
    assert_string_equal(a, b);
}

static void copies_a_uuid_or_none(void **state)
{
    (void)state;
    struct {
        char text[UUID_TEXT_SIZE];
        char behind;
    } to = {.behind = 'x'};
    uuid_text_copy(to.text, SPACE);
    assert_string_equal(to.text, SPACE);
    assert_int_equal(to.behind, 'x');
    uuid_text_copy(to.text, "");
    assert_string_equal(to.text, "");
}

/* In a process of its own, since it ends there. */
static void a_longer_text_is_a_bug(void **state)
{
    (void)state;
    pid_t pid = fork();
    if (pid == 0) {
        char to[UUID_TEXT_SIZE];
        setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
        uuid_text_copy(to, SPACE "0");
        _exit(0);
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGABRT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parses_the_form_with_dashes_only),
        cmocka_unit_test(computes_what_python_computes),
        cmocka_unit_test(random_ones_differ),
        cmocka_unit_test(copies_a_uuid_or_none),
        cmocka_unit_test(a_longer_text_is_a_bug),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
