#include "agent/report/problems.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/strlist.h"
#include "tests/unit/test.h"

/* What one update writes to standard error. The caller frees. */
static char *said(struct problem_list *problems, const char *lines)
{
    _cleanup_strlist_ struct strlist list = strlist_split(lines, ';');
    struct problem_list now = {0};
    for (size_t i = 0; i < list.count; i++) {
        if (!*list.items[i])
            continue;
        /* "about=text", or the text alone. */
        char *text = strchr(list.items[i], '=');
        if (text)
            *text++ = 0;
        problems_add(&now, text ? list.items[i] : NULL, text ? text : list.items[i]);
    }
    int file = memfd_create("log", 0), saved = dup(STDERR_FILENO);
    assert_true(file >= 0 && saved >= 0);
    dup2(file, STDERR_FILENO);
    problems_update(problems, &now);
    dup2(saved, STDERR_FILENO);
    close(saved);
    char *text = calloc(1, 4096);
    assert_true(pread(file, text, 4095, 0) >= 0);
    close(file);
    return text;
}

static void test_each_is_said_once(void **state)
{
    (void)state;
    unsetenv("JOURNAL_STREAM");
    static const struct {
        const char *now, *log;
    } cycles[] = {
        {"a gone;b sick;a gone", "warning agent: a gone\nwarning agent: b sick\n"},
        {"a gone;b sick", ""},
        {"b sick;c", "warning agent: c\ninfo agent: over: a gone\n"},
        {"b sick;c;a gone", "warning agent: a gone\n"},
        {"put=409 at 12:00", "warning agent: 409 at 12:00\ninfo agent: over: b sick\n"
                             "info agent: over: c\ninfo agent: over: a gone\n"},
        {"put=409 at 12:01", ""},
        {"", "info agent: over: 409 at 12:01\n"},
    };
    struct problem_list problems = {0};
    for (size_t i = 0; i < sizeof cycles / sizeof *cycles; i++) {
        _cleanup_free_ char *log = said(&problems, cycles[i].now);
        assert_string_equal(log, cycles[i].log);
    }
    problems_clear(&problems);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_each_is_said_once)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
