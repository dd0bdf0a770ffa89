#include "agent/report/problems_file.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lib/xalloc.h"
#include "tests/unit/test.h"

static char *folder, *state_file, *report_file;

static int set_up(void **state)
{
    (void)state;
    char name[] = "/tmp/report-XXXXXX";
    if (!mkdtemp(name))
        return -1;
    folder = xstrdup(name);
    state_file = xasprintf("%s/state.json", folder);
    report_file = xasprintf("%s.problems", state_file);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    unlink(report_file);
    int rc = rmdir(folder);
    free(folder);
    free(state_file);
    free(report_file);
    return rc;
}

static void assert_read(pid_t pid, const char *expected)
{
    struct error err;
    _cleanup_problem_list_ struct problem_list found = {0};
    int64_t end;
    char digest[UUID_TEXT_SIZE];
    assert_ok(problems_file_read(state_file, pid, &found, &end, digest, &err), &err);
    _cleanup_free_ char *text = xstrdup("");
    for (size_t i = 0; i < found.count; i++) {
        char *longer = xasprintf("%s|%s", text, found.items[i].text);
        free(text);
        text = longer;
    }
    assert_string_equal(text, expected);
}

static void is_read_as_it_was_written(void **state)
{
    (void)state;
    struct error err;
    struct problems_file report = {0};
    _cleanup_problem_list_ struct problem_list problems = {0};
    assert_read(getpid(), "");
    assert_ok(problems_file_write(&report, state_file, &problems, &err), &err);
    assert_read(getpid(), "");
    problems_add(&problems, "one", "the first");
    problems_add(&problems, "two", "the second\nin two lines");
    assert_ok(problems_file_write(&report, state_file, &problems, &err), &err);
    assert_read(getpid(), "|the first|the second in two lines");
    /* Another daemon's is of yesterday. */
    assert_read(getpid() + 1, "");
    problems_clear(&problems);
    assert_ok(problems_file_write(&report, state_file, &problems, &err), &err);
    assert_read(getpid(), "");
    problems_file_clear(&report);
}

static int64_t cycle_end(pid_t pid)
{
    struct error err;
    _cleanup_problem_list_ struct problem_list found = {0};
    int64_t end;
    char digest[UUID_TEXT_SIZE];
    assert_ok(problems_file_read(state_file, pid, &found, &end, digest, &err), &err);
    return end;
}

/* Where nothing has changed, only the file's time does. */
static void is_written_on_changes_only(void **state)
{
    (void)state;
    struct error err;
    struct problems_file report = {0};
    _cleanup_problem_list_ struct problem_list problems = {0};
    problems_add(&problems, NULL, "a problem");
    assert_ok(problems_file_write(&report, state_file, &problems, &err), &err);
    struct stat before, after;
    const struct timespec long_ago[] = {{.tv_sec = 1000}, {.tv_sec = 1000}};
    assert_int_equal(utimensat(AT_FDCWD, report_file, long_ago, 0), 0);
    assert_int_equal(stat(report_file, &before), 0);
    assert_int_equal(cycle_end(getpid()), 1000);
    assert_int_equal(cycle_end(getpid() + 1), 0);
    assert_ok(problems_file_write(&report, state_file, &problems, &err), &err);
    assert_int_equal(stat(report_file, &after), 0);
    assert_int_equal(after.st_ino, before.st_ino);
    assert_true(time(NULL) - cycle_end(getpid()) < 60);
    /* Somebody took it away. */
    assert_int_equal(unlink(report_file), 0);
    assert_ok(problems_file_write(&report, state_file, &problems, &err), &err);
    assert_read(getpid(), "|a problem");
    problems_file_clear(&report);
}

static void an_old_one_is_written_over_or_goes(void **state)
{
    (void)state;
    struct error err;
    struct problems_file report = {0};
    _cleanup_problem_list_ struct problem_list problems = {0};
    problems_add(&problems, NULL, "a problem that stands in a long line");
    assert_ok(problems_file_write(&report, state_file, &problems, &err), &err);
    /* Its temporary file's name is taken by a folder. */
    _cleanup_free_ char *obstacle = xasprintf("%s.new", report_file);
    assert_int_equal(mkdir(obstacle, 0700), 0);
    problems_clear(&problems);
    problems_add(&problems, NULL, "another");
    assert_ok(problems_file_write(&report, state_file, &problems, &err), &err);
    assert_read(getpid(), "|another");
    problems_add(&problems, NULL, "and one more, for which it grows");
    assert_ok(problems_file_write(&report, state_file, &problems, &err), &err);
    assert_read(getpid(), "|another|and one more, for which it grows");
    /* Nor can that be done. */
    assert_int_equal(unlink(report_file), 0);
    assert_int_equal(symlink("/nowhere", report_file), 0);
    problems_clear(&problems);
    assert_int_equal(problems_file_write(&report, state_file, &problems, &err), -1);
    assert_int_equal(access(report_file, F_OK), -1);
    assert_int_equal(rmdir(obstacle), 0);
    assert_ok(problems_file_write(&report, state_file, &problems, &err), &err);
    assert_read(getpid(), "");
    problems_file_clear(&report);
}

static void says_by_which_files_the_daemon_goes(void **state)
{
    (void)state;
    struct error err;
    struct problems_file report = {.digest = "00000000-0000-4000-8000-000000000001"};
    _cleanup_problem_list_ struct problem_list problems = {0};
    char digest[UUID_TEXT_SIZE];
    int64_t end;
    assert_ok(problems_file_write(&report, state_file, &problems, &err), &err);
    assert_ok(problems_file_read(state_file, getpid(), &problems, &end, digest, &err),
              &err);
    assert_string_equal(digest, report.digest);
    assert_ok(
        problems_file_read(state_file, getpid() + 1, &problems, &end, digest, &err),
        &err);
    assert_string_equal(digest, "");
    problems_file_clear(&report);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_read_as_it_was_written),
        cmocka_unit_test(is_written_on_changes_only),
        cmocka_unit_test(an_old_one_is_written_over_or_goes),
        cmocka_unit_test(says_by_which_files_the_daemon_goes),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
