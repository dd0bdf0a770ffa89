#include "agent/instance_lock.h"

#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "lib/cleanup.h"
#include "lib/xalloc.h"
#include "tests/unit/test.h"

static char *state_file;

static int set_up(void **state)
{
    (void)state;
    char folder[] = "/tmp/instance-lock-XXXXXX";
    if (!mkdtemp(folder))
        return -1;
    state_file = xasprintf("%s/state.json", folder);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    _cleanup_free_ char *lock = xasprintf("%s.lock", state_file);
    unlink(lock);
    *strrchr(state_file, '/') = 0;
    rmdir(state_file);
    free(state_file);
    return 0;
}

static void test_second_is_told_who_holds_it(void **state)
{
    (void)state;
    struct error err;
    int first, second;
    assert_ok(instance_lock_take(state_file, &first, &err), &err);
    assert_int_equal(instance_lock_take(state_file, &second, &err), -1);
    assert_int_equal(err.code, ERROR_BUSY);
    _cleanup_free_ char *pid = xasprintf("pid %ld ", (long)getpid());
    assert_non_null(strstr(err.text, pid));
    close(first);
    assert_ok(instance_lock_take(state_file, &second, &err), &err);
    close(second);
}

static void test_death_of_the_holder_frees_it(void **state)
{
    (void)state;
    struct error err;
    pid_t child = fork();
    if (child == 0) {
        int fd;
        _exit(instance_lock_take(state_file, &fd, NULL) == 0 ? 0 : 1);
    }
    int status, fd;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_ok(instance_lock_take(state_file, &fd, &err), &err);
    close(fd);
}

static void test_no_folder(void **state)
{
    (void)state;
    struct error err;
    int fd;
    _cleanup_free_ char *path = xasprintf("%s/none/state.json", state_file);
    assert_int_equal(instance_lock_take(path, &fd, &err), -1);
    assert_int_equal(err.code, ERROR_NOT_FOUND);
    assert_non_null(strstr(err.text, path));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_second_is_told_who_holds_it),
        cmocka_unit_test(test_death_of_the_holder_frees_it),
        cmocka_unit_test(test_no_folder),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
