#include "lib/error.h"

#include <errno.h>
#include <string.h>
#include <sysexits.h>

#include "tests/unit/test.h"

static void sets_code_and_text(void **state)
{
    (void)state;
    struct error err = {.errnum = 7};
    assert_int_equal(error_set(&err, ERROR_CONFLICT, "%s is %d", "generation", 3), -1);
    assert_int_equal(err.code, ERROR_CONFLICT);
    assert_int_equal(err.errnum, 0);
    assert_string_equal(err.text, "generation is 3");
}

static void the_code_follows_from_the_errno(void **state)
{
    (void)state;
    static const struct {
        int errnum;
        enum error_code code;
    } cases[] = {
        {ENOENT, ERROR_NOT_FOUND},
        {ENODEV, ERROR_NOT_FOUND},
        {EEXIST, ERROR_EXISTS},
        {EINVAL, ERROR_INVALID},
        {EBUSY, ERROR_BUSY},
        {ENOSPC, ERROR_EXHAUSTED},
        {EUSERS, ERROR_EXHAUSTED},
        {EACCES, ERROR_FORBIDDEN},
        {EPERM, ERROR_FORBIDDEN},
        {ETIMEDOUT, ERROR_TIMEOUT},
        {ECONNREFUSED, ERROR_UNREACHABLE},
        {EOPNOTSUPP, ERROR_UNSUPPORTED},
        {EIO, ERROR_IO},
        {12345, ERROR_IO},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct error err = {0};
        assert_int_equal(error_set_errno(&err, cases[i].errnum, "uevent"), -1);
        assert_int_equal(err.code, cases[i].code);
        assert_int_equal(err.errnum, cases[i].errnum);
    }
    struct error err;
    (void)error_set_errno(&err, ENOENT, "%s", "create");
    assert_string_equal(err.text, "create: No such file or directory");
    (void)error_set_errno(&err, 12345, "create");
    assert_string_equal(err.text, "create: unknown error");
}

static void context_comes_before_the_text(void **state)
{
    (void)state;
    struct error err;
    (void)error_set_errno(&err, EBUSY, "remove");
    assert_int_equal(error_prefix(&err, "device %d", 4), -1);
    assert_string_equal(err.text, "device 4: remove: Device or resource busy");
    assert_int_equal(err.code, ERROR_BUSY);
    assert_int_equal(err.errnum, EBUSY);
}

/* The end of the text shows the cut, and nothing is written behind it. */
static void what_does_not_fit_is_marked(void **state)
{
    (void)state;
    char longer[2000];
    memset(longer, 'x', sizeof longer);
    longer[sizeof longer - 1] = 0;
    struct {
        struct error err;
        char behind[8];
    } guarded = {.behind = "intact"};
    struct error *err = &guarded.err;
    const size_t last = sizeof err->text - 1;

    (void)error_set(err, ERROR_IO, "%s", longer);
    assert_int_equal(strlen(err->text), last);
    assert_string_equal(err->text + last - 4, "x...");
    (void)error_prefix(err, "context");
    assert_int_equal(strlen(err->text), last);
    assert_memory_equal(err->text, "context: xxx", 12);
    assert_string_equal(err->text + last - 4, "x...");
    (void)error_prefix(err, "%s", longer);
    assert_string_equal(err->text + last - 4, "x...");
    (void)error_set_errno(err, EIO, "%.*s", (int)last - 5, longer);
    assert_int_equal(strlen(err->text), last);
    assert_string_equal(err->text + last - 3, "...");
    assert_string_equal(guarded.behind, "intact");

    /* What just fits is left alone. */
    (void)error_set(err, ERROR_IO, "%.*s", (int)last, longer);
    assert_string_equal(err->text + last - 4, "xxxx");
}

static void a_caller_may_not_care(void **state)
{
    (void)state;
    assert_int_equal(error_set(NULL, ERROR_IO, "text"), -1);
    assert_int_equal(error_set_errno(NULL, EIO, "text"), -1);
    assert_int_equal(error_prefix(NULL, "text"), -1);
}

static void each_code_has_its_name_and_exit_status(void **state)
{
    (void)state;
    for (int i = 0; i < ERROR_CODES; i++) {
        assert_non_null(error_code_name((enum error_code)i));
        for (int k = 0; k < i; k++)
            assert_string_not_equal(error_code_name((enum error_code)i),
                                    error_code_name((enum error_code)k));
        assert_int_equal(error_exit_status((enum error_code)i) == 0, i == ERROR_NONE);
    }
    assert_int_equal(error_exit_status(ERROR_BUSY), EX_TEMPFAIL);
    assert_int_equal(error_exit_status(ERROR_FORBIDDEN), EX_NOPERM);
    assert_int_equal(error_exit_status(ERROR_UNREACHABLE), EX_UNAVAILABLE);
    assert_int_equal(error_exit_status(ERROR_INVALID), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sets_code_and_text),
        cmocka_unit_test(the_code_follows_from_the_errno),
        cmocka_unit_test(context_comes_before_the_text),
        cmocka_unit_test(what_does_not_fit_is_marked),
        cmocka_unit_test(a_caller_may_not_care),
        cmocka_unit_test(each_code_has_its_name_and_exit_status),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
