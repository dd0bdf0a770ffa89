#include "lib/text_copy.h"

#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/test.h"

static void copies_what_fits(void **state)
{
    (void)state;
    char to[4] = "xyz";
    text_copy_array(to, "");
    assert_string_equal(to, "");
    text_copy_array(to, "abc");
    assert_string_equal(to, "abc");
    text_copy(to, 2, "d");
    assert_memory_equal(to, "d\0c", 4);
}

static void a_longer_text_aborts(void **state)
{
    (void)state;
    pid_t pid = fork();
    if (pid == 0) {
        char to[4];
        signal(SIGABRT, SIG_DFL);
        text_copy_array(to, "abcd");
        _exit(0);
    }
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGABRT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(copies_what_fits),
        cmocka_unit_test(a_longer_text_aborts),
    };
    return cmocka_run_group_tests_name("text_copy", tests, NULL, NULL);
}
