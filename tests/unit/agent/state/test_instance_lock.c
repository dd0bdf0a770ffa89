#include "agent/state/instance_lock.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "lib/cleanup.h"
#include "lib/xalloc.h"
#include "tests/unit/test.h"

static char *state_file;

static char *lock_path(void)
{
    return xasprintf("%s.lock", state_file);
}

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
    _cleanup_free_ char *lock = lock_path();
    unlink(lock);
    *strrchr(state_file, '/') = 0;
    rmdir(state_file);
    free(state_file);
    return 0;
}

/* A child that takes the lock, and holds it until it is killed. */
static pid_t start_holder(const char *command)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
        int fd;
        char done = instance_lock_take(state_file, command, &fd, NULL) == 0 ? 'y' : 'n';
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

static void stop(pid_t child)
{
    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, NULL, 0), child);
}

static void second_is_told_who_holds_it(void **state)
{
    (void)state;
    static const struct {
        const char *command, *text;
    } cases[] = {
        {"run", "the daemon is at work (pid "},
        {"sync", "another vgpu-agent sync is at work (pid "},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct error err;
        struct instance_holder holder;
        int fd;
        pid_t child = start_holder(cases[i].command);
        assert_int_equal(instance_lock_take(state_file, "plan", &fd, &err), -1);
        assert_int_equal(err.code, ERROR_BUSY);
        _cleanup_free_ char *text = xasprintf("%s%ld ", cases[i].text, (long)child);
        if (!strstr(err.text, text))
            fail_msg("%s", err.text);
        assert_ok(instance_lock_holder(state_file, &holder, &err), &err);
        assert_int_equal(holder.pid, child);
        assert_string_equal(holder.command, cases[i].command);

        /* Its death frees it. */
        stop(child);
        assert_ok(instance_lock_holder(state_file, &holder, &err), &err);
        assert_int_equal(holder.pid, 0);
        assert_string_equal(holder.command, "");
        assert_ok(instance_lock_take(state_file, "a much longer name", &fd, &err),
                  &err);
        close(fd);
    }
}

/* What an earlier holder has left in the file says nothing of this one. */
static void a_stale_name_is_not_believed(void **state)
{
    (void)state;
    static const char *const contents[] = {"1 run\n", "run\n", "", "\n", "99"};
    _cleanup_free_ char *path = lock_path();
    for (size_t i = 0; i < sizeof contents / sizeof *contents; i++) {
        struct error err;
        struct instance_holder holder;
        pid_t child = start_holder("sync");
        _cleanup_fclose_ FILE *file = fopen(path, "w");
        assert_true(file && fputs(contents[i], file) >= 0 && fflush(file) == 0);
        assert_ok(instance_lock_holder(state_file, &holder, &err), &err);
        assert_int_equal(holder.pid, child);
        assert_string_equal(holder.command, "");
        stop(child);
    }
}

static void only_the_daemon_gets_signals(void **state)
{
    (void)state;
    struct error err;
    pid_t pid = 0;
    int status;
    assert_int_equal(instance_signal_daemon(state_file, SIGUSR1, &pid, &err), -1);
    assert_int_equal(err.code, ERROR_NOT_FOUND);

    pid_t child = start_holder("sync");
    assert_int_equal(instance_signal_daemon(state_file, SIGUSR1, &pid, &err), -1);
    assert_int_equal(err.code, ERROR_NOT_FOUND);
    stop(child);

    child = start_holder(INSTANCE_DAEMON);
    assert_ok(instance_signal_daemon(state_file, SIGUSR1, &pid, &err), &err);
    assert_int_equal(pid, child);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGUSR1);
}

static void nobody_was_ever_here(void **state)
{
    (void)state;
    struct error err;
    struct instance_holder holder;
    _cleanup_free_ char *path = xasprintf("%s.other", state_file);
    assert_ok(instance_lock_holder(path, &holder, &err), &err);
    assert_int_equal(holder.pid, 0);
}

static void no_folder(void **state)
{
    (void)state;
    struct error err;
    int fd;
    _cleanup_free_ char *path = xasprintf("%s/none/state.json", state_file);
    assert_int_equal(instance_lock_take(path, "run", &fd, &err), -1);
    assert_int_equal(err.code, ERROR_NOT_FOUND);
    *strrchr(path, '/') = 0;
    assert_non_null(strstr(err.text, path));
}

/* What it is about to write to could be another file. */
static void a_file_of_two_names_is_refused(void **state)
{
    (void)state;
    struct error err;
    int fd;
    _cleanup_free_ char *path = lock_path(), *other = xasprintf("%s.more", state_file);
    unlink(path);
    assert_true((fd = creat(other, 0600)) >= 0 && close(fd) == 0);
    assert_int_equal(link(other, path), 0);
    assert_int_equal(instance_lock_take(state_file, "run", &fd, &err), -1);
    assert_int_equal(err.code, ERROR_INVALID);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(symlink(other, path), 0);
    assert_int_equal(instance_lock_take(state_file, "run", &fd, &err), -1);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(unlink(other), 0);
}

/* Root must not lock the agent's own user out. */
static void root_gives_it_to_the_folders_owner(void **state)
{
    (void)state;
    if (geteuid() != 0)
        skip_because("only root can give a file away");
    struct error err;
    struct stat st;
    int fd;
    _cleanup_free_ char *path = lock_path(), *folder = xstrdup(state_file);
    *strrchr(folder, '/') = 0;
    unlink(path);
    assert_int_equal(chown(folder, 1234, 1235), 0);
    assert_ok(instance_lock_take(state_file, "sync", &fd, &err), &err);
    assert_int_equal(fstat(fd, &st), 0);
    assert_int_equal(st.st_uid, 1234);
    assert_int_equal(st.st_gid, 1235);
    assert_int_equal(st.st_mode & 07777, 0600);
    close(fd);
    assert_int_equal(chown(folder, 0, 0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(second_is_told_who_holds_it),
        cmocka_unit_test(a_stale_name_is_not_believed),
        cmocka_unit_test(only_the_daemon_gets_signals),
        cmocka_unit_test(nobody_was_ever_here),
        cmocka_unit_test(no_folder),
        cmocka_unit_test(a_file_of_two_names_is_refused),
        cmocka_unit_test(root_gives_it_to_the_folders_owner),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
