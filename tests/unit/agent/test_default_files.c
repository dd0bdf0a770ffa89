#include "agent/default_files.h"

#include <stdio.h>
#include <unistd.h>

#include "lib/xalloc.h"
#include "tests/unit/test.h"

static char path[] = "/tmp/command-files-XXXXXX";

static void write_file(const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fputs(text, file) >= 0 && fclose(file) == 0, true);
}

/* "files|dirs" */
static char *read_file(const char *name)
{
    struct error err;
    _cleanup_strlist_ struct strlist files = {0}, dirs = {0};
    if (default_files_read(name, &files, &dirs, &err) != 0)
        return xstrdup(err.text);
    _cleanup_free_ char *one = strlist_join(&files, " "),
                        *two = strlist_join(&dirs, " ");
    return xasprintf("%s|%s", one, two);
}

static void what_the_unit_is_given(void **state)
{
    (void)state;
    static const struct {
        const char *text, *expected;
    } cases[] = {
        {"", "|"},
        {"# VGPU_AGENT_OPTIONS=--config-file /a\nOTHER=--config-file /a\n", "|"},
        {"VGPU_AGENT_OPTIONS=\"--config-file /a.conf --config-dir /d\"\n",
         "/a.conf|/d"},
        {"  VGPU_AGENT_OPTIONS='--config-file=/a  --log-level debug "
         "--config-file /b' \n",
         "/a /b|"},
        {"VGPU_AGENT_OPTIONS=--config-file /a\nVGPU_AGENT_OPTIONS=--config-dir /d",
         "|/d"},
        {"VGPU_AGENT_OPTIONS=\n", "|"},
        {"VGPU_AGENT_OPTIONS=\"--config-filex /a\"\n", "|"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        write_file(cases[i].text);
        _cleanup_free_ char *found = read_file(path);
        assert_string_equal(found, cases[i].expected);
    }
    write_file("VGPU_AGENT_OPTIONS=--config-dir\n");
    _cleanup_free_ char *found = read_file(path);
    _cleanup_free_ char *expected =
        xasprintf("%s: VGPU_AGENT_OPTIONS= --config-dir names nothing", path);
    assert_string_equal(found, expected);
}

static void files_that_are_not(void **state)
{
    (void)state;
    _cleanup_free_ char *none = read_file("/nowhere/vgpu-agent");
    assert_string_equal(none, "|");
    _cleanup_free_ char *folder = read_file("/");
    assert_string_not_equal(folder, "|");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_the_unit_is_given),
        cmocka_unit_test(files_that_are_not),
    };
    int fd = mkstemp(path);
    if (fd < 0)
        return 1;
    close(fd);
    int rc = cmocka_run_group_tests(tests, NULL, NULL);
    unlink(path);
    return rc;
}
