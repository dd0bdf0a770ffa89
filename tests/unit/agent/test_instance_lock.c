#include "agent/instance_lock.h"

#include <signal.h>
#include <string.h>
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

/* A child that takes the lock, and holds it until it is killed. */
static pid_t start_holder(void)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
        int fd;
        char done = instance_lock_take(state_file, &fd, NULL) == 0 ? 'y' : 'n';
        (void)!write(ends[1], &done, 1);
        pause();
        _exit(1);
    }
    char done = 0;
    assert_int_equal(read(ends[0], &done, 1), 1);
    assert_int_equal(done, 'y');
    close(ends[0]);
    close(ends[1]);
    return child;
}

static void test_second_is_told_who_holds_it(void **state)
{
    (void)state;
    struct error err;
    int fd;
    pid_t holder, child = start_holder();
    assert_int_equal(instance_lock_take(state_file, &fd, &err), -1);
    assert_int_equal(err.code, ERROR_BUSY);
    _cleanup_free_ char *pid = xasprintf("pid %ld ", (long)child);
    assert_non_null(strstr(err.text, pid));
    assert_ok(instance_lock_holder(state_file, &holder, &err), &err);
    assert_int_equal(holder, child);

    /* Its death frees it. */
    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, NULL, 0), child);
    assert_ok(instance_lock_holder(state_file, &holder, &err), &err);
    assert_int_equal(holder, 0);
    assert_ok(instance_lock_take(state_file, &fd, &err), &err);
    close(fd);
}

static void test_nobody_was_ever_here(void **state)
{
    (void)state;
    struct error err;
    pid_t holder;
    _cleanup_free_ char *path = xasprintf("%s.other", state_file);
    assert_ok(instance_lock_holder(path, &holder, &err), &err);
    assert_int_equal(holder, 0);
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
        cmocka_unit_test(test_nobody_was_ever_here),
        cmocka_unit_test(test_no_folder),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
