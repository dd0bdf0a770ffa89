#include "agent/state/attach_left.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "agent/state/boot_clock.h"
#include "lib/cleanup.h"
#include "lib/xalloc.h"
#include "tests/unit/test.h"

#define NOW 5000
#define END (NOW + ATTACH_LEFT_TIME)

static char *folder, *state_file, *file;

static int set_up(void **state)
{
    (void)state;
    char name[] = "/tmp/attach-left-XXXXXX";
    if (!mkdtemp(name))
        return -1;
    folder = xstrdup(name);
    state_file = xasprintf("%s/state.json", folder);
    file = attach_left_file(state_file);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    (void)remove(file);
    int rc = rmdir(folder);
    free(folder);
    free(state_file);
    free(file);
    return rc;
}

static void write_file(const char *text)
{
    _cleanup_close_ int fd = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (int)strlen(text));
}

static void written_before(int64_t seconds)
{
    const struct timespec then = {.tv_sec = time(NULL) - seconds};
    const struct timespec times[] = {then, then};
    assert_int_equal(utimensat(AT_FDCWD, file, times, 0), 0);
}

/* A second may pass between the moments. */
static void assert_until(int64_t expected)
{
    assert_in_range(attach_left_until(state_file, NOW), expected - 1, expected);
}

static void nothing_is_left_without_the_file(void **state)
{
    (void)state;
    assert_int_equal(attach_left_until(state_file, NOW), 0);
}

static void what_is_of_another_boot_or_attaches_nothing_is_not_left(void **state)
{
    (void)state;
    const struct boot_time now = boot_time_now();
    _cleanup_free_ char *idle =
        xasprintf("{\"boot\":\"%s\",\"attaches\":false}", now.boot);
    write_file("{\"boot\":\"11111111-1111-4111-8111-111111111111\",\"attaches\":true}");
    assert_int_equal(attach_left_until(state_file, NOW), 0);
    write_file(idle);
    assert_int_equal(attach_left_until(state_file, NOW), 0);
    _cleanup_free_ char *never = xasprintf(
        "{\"boot\":\"%s\",\"attaches\":true,\"may_be_left\":false}", now.boot);
    write_file(never);
    assert_int_equal(attach_left_until(state_file, NOW), 0);
}

static void the_time_begins_when_the_file_is_found(void **state)
{
    (void)state;
    const struct boot_time now = boot_time_now();
    _cleanup_free_ char *text =
        xasprintf("{\"boot\":\"%s\",\"attaches\":true}", now.boot);
    write_file(text);
    assert_int_equal(attach_left_until(state_file, NOW), END);
    assert_int_equal(attach_left_until(state_file, NOW + 10), END);
    assert_int_equal(attach_left_until(state_file, END), 0);
}

static void what_a_daemon_has_begun_outlives_that_it_attaches(void **state)
{
    (void)state;
    const struct boot_time now = boot_time_now();
    _cleanup_free_ char *text = xasprintf(
        "{\"boot\":\"%s\",\"attaches\":false,\"may_be_left\":true}", now.boot);
    write_file(text);
    assert_int_equal(attach_left_until(state_file, NOW), END);
}

static void what_cannot_be_parsed_may_be_left_until_it_is_old(void **state)
{
    (void)state;
    write_file("{\"boot\":");
    assert_until(END);
    written_before(100);
    assert_until(END - 100);
    assert_int_equal(attach_left_until(state_file, 50),
                     0); /* the machine is up so long */
    written_before(ATTACH_LEFT_TIME);
    assert_int_equal(attach_left_until(state_file, NOW), 0);
    written_before(-100);
    assert_until(END);
}

static void what_cannot_be_read_may_be_left_until_it_is_old(void **state)
{
    (void)state;
    assert_int_equal(mkdir(file, 0700), 0);
    assert_until(END);
    written_before(ATTACH_LEFT_TIME);
    assert_int_equal(attach_left_until(state_file, NOW), 0);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(nothing_is_left_without_the_file),
        TEST(what_is_of_another_boot_or_attaches_nothing_is_not_left),
        TEST(the_time_begins_when_the_file_is_found),
        TEST(what_a_daemon_has_begun_outlives_that_it_attaches),
        TEST(what_cannot_be_parsed_may_be_left_until_it_is_old),
        TEST(what_cannot_be_read_may_be_left_until_it_is_old),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
