#include "lib/xalloc.h"

#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "tests/unit/test.h"

static void arrays_grow_by_zeroed_elements(void **state)
{
    (void)state;
    struct item {
        size_t number;
        char rest[17];
    };
    static const struct item zero;
    _cleanup_free_ struct item *items = NULL;
    size_t count = 0;
    for (size_t i = 0; i < 1000; i++) {
        struct item *item = array_add(items, count);
        assert_ptr_equal(item, &items[i]);
        assert_memory_equal(item, &zero, sizeof zero);
        memset(item, 0xff, sizeof *item);
        item->number = i;
    }
    assert_int_equal(count, 1000);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(items[i].number, i);
}

static void nothing_is_memory_too(void **state)
{
    (void)state;
    _cleanup_free_ char *none = xcalloc(0, 10), *empty = xcalloc(10, 0);
    assert_non_null(none);
    assert_non_null(empty);
    assert_null(xstrdup(NULL));
    _cleanup_free_ char *cut = xstrndup("abcdef", 3),
                        *text = xasprintf("%d-%s", 1, "a");
    assert_string_equal(cut, "abc");
    assert_string_equal(text, "1-a");
}

#define RETURNED 42

/* In a process of its own, since it ends there: by abort(), or by a sanitizer before. */
static bool returns(void *(*allocate)(void))
{
    pid_t pid = fork();
    if (pid == 0) {
        setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
        close(STDERR_FILENO);
        (void)allocate();
        _exit(RETURNED);
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_false(WIFSIGNALED(status) && WTERMSIG(status) != SIGABRT);
    return WIFEXITED(status) && WEXITSTATUS(status) == RETURNED;
}

static void *too_many(void)
{
    volatile size_t many = SIZE_MAX / 2;
    return xcalloc(many, 4);
}

static void *too_long(void)
{
    volatile size_t many = SIZE_MAX / 2;
    return xreallocarray(NULL, many, 4);
}

static void running_out_aborts(void **state)
{
    (void)state;
    assert_false(returns(too_many));
    assert_false(returns(too_long));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arrays_grow_by_zeroed_elements),
        cmocka_unit_test(nothing_is_memory_too),
        cmocka_unit_test(running_out_aborts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
