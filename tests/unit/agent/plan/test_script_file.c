/* The format of a file of cases, and the errors for wrong lines, which name the
 * line. */
#include <string.h>

#include "lib/xalloc.h"
#include "tests/unit/agent/plan/script_file.h"
#include "tests/unit/test.h"

static char path[32];

static int read_text(const char *text, struct script_file **out, struct error *err)
{
    snprintf(path, sizeof path, "/tmp/script-file-XXXXXX");
    _cleanup_close_ int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    int rc = script_file_read(path, out, err);
    unlink(path);
    return rc;
}

static void lines_have_the_numbers_of_the_file(void **state)
{
    (void)state;
    struct error err;
    _cleanup_(script_file_freep) struct script_file *file = NULL;
    assert_ok(read_text("# a comment\n\nbeginning one\n  gpu 84 35:4\n\n"
                        "case it is so\n\tfrom one\n  # why\n  => nothing  \n",
                        &file, &err),
              &err);
    assert_int_equal(file->block_count, 2);
    const struct script_block *block = &file->blocks[1];
    assert_true(block->is_case);
    assert_string_equal(block->name, "it is so");
    assert_int_equal(block->line_count, 2);
    assert_int_equal(block->lines[1].number, 9);
    assert_string_equal(block->lines[1].text, "=> nothing");
    assert_ptr_equal(script_file_beginning(file, "one", block->number),
                     &file->blocks[0]);
    assert_null(script_file_beginning(file, "one", file->blocks[0].number));
    assert_null(script_file_beginning(file, "it is so", 100));
}

static void what_is_wrong_is_told_with_its_line(void **state)
{
    (void)state;
    const struct {
        const char *text, *said;
    } rows[] = {
        {"", ": it has no case"},
        {"# only\n", ": it has no case"},
        {"\nsettle\n", ":2: it stands in no case"},
        {"case a\n\ncase b\n settle\n", ":1: nothing stands in it"},
        {"case a\n settle\ncase b\n", ":3: nothing stands in it"},
        {"case a\n settle\ncase a\n settle\n", ":3: the file has that name already"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct error err;
        struct script_file *file = NULL;
        assert_int_equal(read_text(rows[i].text, &file, &err), -1);
        _cleanup_free_ char *expected = xasprintf("%s%s", path, rows[i].said);
        assert_string_equal(err.text, expected);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_have_the_numbers_of_the_file),
        cmocka_unit_test(what_is_wrong_is_told_with_its_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
