#include "lib/log.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "lib/files.h"
#include "tests/unit/test.h"

/* A file in the place of standard error, until the end of the test. */
struct redirection {
    char path[32];
    int fd, saved;
};

static int redirect(void **state)
{
    static struct redirection r;
    snprintf(r.path, sizeof r.path, "/tmp/test_log.XXXXXX");
    r.fd = mkstemp(r.path);
    assert_true(r.fd >= 0);
    r.saved = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0);
    assert_int_equal(dup2(r.fd, STDERR_FILENO), STDERR_FILENO);
    *state = &r;
    return 0;
}

static int restore(void **state)
{
    struct redirection *r = *state;
    assert_int_equal(dup2(r->saved, STDERR_FILENO), STDERR_FILENO);
    close(r->saved);
    close(r->fd);
    unlink(r->path);
    unsetenv("JOURNAL_STREAM");
    log_set_level(LOG_LEVEL_INFO);
    return 0;
}

/* What was logged since the last look; the caller frees. */
static char *logged(const struct redirection *r)
{
    char *text = NULL;
    struct error err;
    assert_ok(file_read_at(AT_FDCWD, r->path, 1 << 20, &text, NULL, &err), &err);
    assert_int_equal(ftruncate(r->fd, 0), 0);
    assert_int_equal(lseek(r->fd, 0, SEEK_SET), 0);
    return text;
}

static void a_message_is_one_line(void **state)
{
    log_warning("plan", "device created pci=%s type=%s", "0000:84:00.0", "nvidia-35");
    _cleanup_free_ char *text = logged(*state);
    assert_string_equal(
        text, "warning plan: device created pci=0000:84:00.0 type=nvidia-35\n");
}

static void nothing_from_outside_forges_a_line(void **state)
{
    log_error("api", "%s", "a\nerror api: b\r\x1b[2J\x7f\tc");
    _cleanup_free_ char *text = logged(*state);
    assert_string_equal(text, "error api: a?error api: b??[2J??c\n");
}

static void long_messages_are_cut(void **state)
{
    char longer[10000];
    memset(longer, 'x', sizeof longer);
    longer[sizeof longer - 1] = 0;
    log_error("api", "%s", longer);
    _cleanup_free_ char *text = logged(*state);
    size_t length = strlen(text);
    assert_in_range(length, 4000, 4096);
    assert_string_equal(text + length - 5, "x...\n");
    assert_ptr_equal(strchr(text, '\n'), text + length - 1);
}

static void less_important_levels_are_left_out(void **state)
{
    log_debug("a", "1");
    log_info("a", "2");
    _cleanup_free_ char *at_first = logged(*state);
    assert_string_equal(at_first, "info a: 2\n");
    log_set_level(LOG_LEVEL_DEBUG);
    log_debug("a", "3");
    _cleanup_free_ char *all = logged(*state);
    assert_string_equal(all, "debug a: 3\n");
    log_set_level(LOG_LEVEL_ERROR);
    log_warning("a", "4");
    log_error("a", "5");
    _cleanup_free_ char *errors = logged(*state);
    assert_string_equal(errors, "error a: 5\n");
}

static void levels_have_names(void **state)
{
    (void)state;
    enum log_level level = LOG_LEVEL_INFO;
    assert_true(log_level_parse("debug", &level));
    assert_int_equal(level, LOG_LEVEL_DEBUG);
    assert_false(log_level_parse("DEBUG", &level));
    assert_false(log_level_parse("", &level));
    assert_int_equal(level, LOG_LEVEL_DEBUG);
}

/* systemd names the stream that standard error was at first; it may have been
 * redirected since. */
static void the_journal_gets_priorities(void **state)
{
    struct stat st;
    char stream[64];
    assert_int_equal(fstat(STDERR_FILENO, &st), 0);
    snprintf(stream, sizeof stream, "%ju:%ju", (uintmax_t)st.st_dev,
             (uintmax_t)st.st_ino);
    setenv("JOURNAL_STREAM", stream, 1);
    assert_string_equal(log_journal_prefix(LOG_LEVEL_ERROR), "<3>");
    log_warning("a", "b");
    _cleanup_free_ char *text = logged(*state);
    assert_string_equal(text, "<4>a: b\n");
    setenv("JOURNAL_STREAM", "1:1", 1);
    assert_string_equal(log_journal_prefix(LOG_LEVEL_ERROR), "");
}

/* Nobody may be held up by one who does not read. */
static void lines_that_nobody_reads_are_counted(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(pipe2(ends, O_NONBLOCK | O_CLOEXEC), 0);
    char block[4096] = {0}, text[8192];
    while (write(ends[1], block, sizeof block) > 0)
        continue;
    int before = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0);
    assert_int_equal(dup2(ends[1], STDERR_FILENO), STDERR_FILENO);
    log_info("a", "lost");
    log_info("a", "lost, too");
    while (read(ends[0], text, sizeof text) > 0)
        continue;
    log_info("a", "seen");
    assert_int_equal(dup2(before, STDERR_FILENO), STDERR_FILENO);
    close(before);
    ssize_t length = read(ends[0], text, sizeof text - 1);
    assert_true(length > 0);
    text[length] = 0;
    assert_string_equal(text, "warning log: 2 lines were not written, as nobody read "
                              "them\ninfo a: seen\n");
    close(ends[0]);
    close(ends[1]);
}

/* Last, as lines have the time from then on. */
static void a_file_has_the_time_in_each_line(void **state)
{
    struct redirection *r = *state;
    struct error err;
    assert_ok(log_to_file(r->path, &err), &err);
    log_info("server", "ready");
    _cleanup_free_ char *text = logged(r);
    unsigned parts[6];
    int used = 0;
    assert_int_equal(sscanf(text, "%4u-%2u-%2uT%2u:%2u:%2uZ %n", &parts[0], &parts[1],
                            &parts[2], &parts[3], &parts[4], &parts[5], &used),
                     6);
    assert_string_equal(text + used, "info server: ready\n");
    assert_int_equal(log_to_file("/no/such/folder/log", &err), -1);
    log_info("server", "still there");
    _cleanup_free_ char *after = logged(r);
    assert_non_null(strstr(after, "still there\n"));
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, redirect, restore)
    const struct CMUnitTest tests[] = {
        TEST(a_message_is_one_line),
        TEST(nothing_from_outside_forges_a_line),
        TEST(long_messages_are_cut),
        TEST(less_important_levels_are_left_out),
        TEST(levels_have_names),
        TEST(the_journal_gets_priorities),
        TEST(lines_that_nobody_reads_are_counted),
        TEST(a_file_has_the_time_in_each_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
