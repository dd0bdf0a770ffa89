#include "tests/unit/test.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/state/journal.h"
#include "agent/state/journal_read.h"
#include "agent/state/journal_write.h"
#include "lib/files.h"
#include "lib/xalloc.h"
#include "tests/unit/agent/state/journal_example.h"

static void entries_are_put_and_dropped(void **state)
{
    (void)state;
    _cleanup_(journal_freep) struct journal *journal = journal_example();
    struct journal_device one =
        journal_example_device(UUID_A, (char *)"GRID V100DX-1Q");
    assert_false(journal_put_device(journal, &one));
    one.released_at = 0;
    assert_true(journal_put_device(journal, &one));
    assert_int_equal(journal->device_count, 3);
    assert_int_equal(journal_find_device(journal, UUID_A)->released_at, 0);
    assert_true(journal_drop_device(journal, UUID_A));
    assert_false(journal_drop_device(journal, UUID_A));
    assert_null(journal_find_device(journal, UUID_A));
    assert_non_null(journal_find_device(journal, UUID_C));
    struct journal_provider provider =
        journal_provider_copy(journal_find_provider(journal, UUID_B));
    assert_false(journal_put_provider(journal, &provider));
    strlist_add(&provider.traits, "CUSTOM_X");
    assert_true(journal_put_provider(journal, &provider));
    journal_provider_clear(&provider);
    assert_int_equal(journal->provider_count, 1);
    assert_true(journal_drop_provider(journal, UUID_B));
    assert_false(journal_drop_provider(journal, UUID_B));
}

static void used_units_are_counted_until_they_are_cleaned(void **state)
{
    (void)state;
    _cleanup_(journal_freep) struct journal *journal = journal_new();
    journal_spend(journal, "0000:84:00.0", 1);
    journal_spend(journal, "0000:85:00.0", 1);
    journal_spend(journal, "0000:84:00.0", 2);
    size_t length;
    _cleanup_free_ char *text = journal_write(journal, &length);
    _cleanup_(journal_freep) struct journal *read = NULL;
    struct error err = {0};
    assert_ok(journal_read(text, length, &read, &err), &err);
    assert_int_equal(journal_spent_of(read, "0000:84:00.0"), 3);
    assert_int_equal(journal_spent_of(read, "0000:86:00.0"), 0);
    assert_true(journal_clean(read, "0000:84:00.0"));
    assert_false(journal_clean(read, "0000:84:00.0"));
    assert_int_equal(journal_spent_of(read, "0000:84:00.0"), 0);
    assert_int_equal(journal_spent_of(read, "0000:85:00.0"), 1);
}

/* ---- the file ---- */

struct folder {
    char name[64];
    char *path; /* of the state file in it */
};

static int folder_make(void **state)
{
    struct folder *folder = xcalloc(1, sizeof *folder);
    stpcpy(folder->name, "/tmp/test_journal.XXXXXX");
    if (!mkdtemp(folder->name))
        return -1;
    folder->path = xasprintf("%s/state.json", folder->name);
    *state = folder;
    return 0;
}

static int folder_remove(void **state)
{
    struct folder *folder = *state;
    static const char *const names[] = {"", ".damaged-7", ".damaged-8", ".other-host-7",
                                        ".new"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        _cleanup_free_ char *path = xasprintf("%s%s", folder->path, names[i]);
        unlink(path);
    }
    int rc = rmdir(folder->name);
    free(folder->path);
    free(folder);
    return rc;
}

static void write_file(const char *path, const char *data, size_t length)
{
    _cleanup_close_ int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_int_equal(write(fd, data, length), (ssize_t)length);
}

static struct journal *load(const char *path, int64_t now, char **note)
{
    struct error err = {0};
    struct journal *journal = NULL;
    assert_ok(journal_load(path, "", now, &journal, note, &err), &err);
    return journal;
}

static void saves_and_loads(void **state)
{
    struct folder *folder = *state;
    struct error err = {0};
    _cleanup_(journal_freep) struct journal *journal = journal_example();
    assert_ok(journal_save(journal, folder->path, &err), &err);
    struct stat st;
    assert_int_equal(stat(folder->path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    char *note = NULL;
    _cleanup_(journal_freep) struct journal *back = load(folder->path, 7, &note);
    assert_null(note);
    assert_journal_equal(journal, back);
}

static void a_missing_file_is_a_first_start(void **state)
{
    struct folder *folder = *state;
    char *note = NULL;
    _cleanup_(journal_freep) struct journal *journal = load(folder->path, 7, &note);
    assert_null(note);
    assert_false(journal->rebuilding);
    assert_int_equal(journal->device_count + journal->provider_count, 0);
}

static void a_damaged_file_is_kept_and_rebuilding_survives(void **state)
{
    struct folder *folder = *state;
    static const char nul[] = "{\"version\":1\0}";
    const struct {
        const char *data;
        size_t length;
        const char *why;
    } cases[] = {
        {"", 0, "not JSON"},
        {nul, sizeof nul - 1, "NUL"},
        {"[]\n", 3, "expected an object"},
        {"\xff\xfe", 2, "not JSON"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        write_file(folder->path, cases[i].data, cases[i].length);
        _cleanup_free_ char *note = NULL, *aside = NULL, *kept = NULL, *again = NULL;
        _cleanup_(journal_freep) struct journal *journal = load(folder->path, 7, &note);
        assert_true(journal->rebuilding);
        assert_non_null(strstr(note, cases[i].why));
        aside = xasprintf("%s.damaged-7", folder->path);
        assert_non_null(strstr(note, aside));
        size_t length;
        struct error err = {0};
        assert_ok(file_read_at(AT_FDCWD, aside, 1000, &kept, &length, &err), &err);
        assert_int_equal(length, cases[i].length);
        assert_memory_equal(kept, cases[i].data, length);
        /* A crash right now must not look like a first start. */
        _cleanup_(journal_freep) struct journal *next = load(folder->path, 8, &again);
        assert_null(again);
        assert_true(next->rebuilding);
        unlink(aside);
    }
}

static void each_save_makes_another_file(void **state)
{
    struct folder *folder = *state;
    struct error err = {0};
    _cleanup_(journal_freep) struct journal *journal = journal_example();
    const struct file_stamp none = file_stamp_at(folder->path);
    assert_ok(journal_save(journal, folder->path, &err), &err);
    const struct file_stamp first = file_stamp_at(folder->path);
    const struct file_stamp same = file_stamp_at(folder->path);
    assert_false(file_stamp_equal(&none, &first));
    assert_true(file_stamp_equal(&first, &same));
    assert_ok(journal_save(journal, folder->path, &err), &err);
    const struct file_stamp second = file_stamp_at(folder->path);
    assert_false(file_stamp_equal(&first, &second));
}

static void another_machines_file_is_kept_and_not_followed(void **state)
{
    struct folder *folder = *state;
    struct error err = {0};
    _cleanup_(journal_freep) struct journal *journal = journal_example();
    assert_ok(journal_save(journal, folder->path, &err), &err);
    /* Whose it is was not known, or is not known now. */
    static const char *const machines[] = {"", UUID_A, UUID_A, ""};
    for (size_t i = 0; i < sizeof machines / sizeof *machines; i++) {
        char *note = NULL;
        _cleanup_(journal_freep) struct journal *same = NULL;
        assert_ok(journal_load(folder->path, machines[i], 7, &same, &note, &err), &err);
        assert_null(note);
        assert_int_equal(same->device_count, 3);
        assert_string_equal(same->machine, i ? UUID_A : "");
        assert_ok(journal_save(same, folder->path, &err), &err);
    }
    _cleanup_free_ char *looked = NULL, *note = NULL, *again = NULL;
    _cleanup_(journal_freep) struct journal *seen = NULL, *other = NULL, *next = NULL;
    assert_ok(journal_look(folder->path, UUID_B, &seen, &looked, &err), &err);
    assert_non_null(strstr(looked, "is another host's"));
    assert_true(seen->rebuilding && seen->device_count == 0);
    assert_ok(journal_load(folder->path, UUID_B, 7, &other, &note, &err), &err);
    assert_non_null(strstr(note, ".other-host-7"));
    assert_true(other->rebuilding && other->device_count == 0);
    assert_ok(journal_load(folder->path, UUID_B, 8, &next, &again, &err), &err);
    assert_null(again);
    assert_true(next->rebuilding);
    assert_string_equal(next->machine, UUID_B);
}

static void what_cannot_be_used_is_an_error(void **state)
{
    struct folder *folder = *state;
    struct error err = {0};
    struct journal *journal = NULL;
    char *note = NULL;
    assert_int_equal(journal_load(folder->name, "", 7, &journal, &note, &err), -1);
    assert_non_null(strstr(err.text, "not a regular file"));
    _cleanup_(journal_freep) struct journal *empty = journal_new();
    assert_int_equal(journal_save(empty, "/nonexistent/dir/state.json", &err), -1);
    assert_non_null(strstr(err.text, "/nonexistent/dir/"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(entries_are_put_and_dropped),
        cmocka_unit_test(used_units_are_counted_until_they_are_cleaned),
        cmocka_unit_test_setup_teardown(saves_and_loads, folder_make, folder_remove),
        cmocka_unit_test_setup_teardown(a_missing_file_is_a_first_start, folder_make,
                                        folder_remove),
        cmocka_unit_test_setup_teardown(a_damaged_file_is_kept_and_rebuilding_survives,
                                        folder_make, folder_remove),
        cmocka_unit_test_setup_teardown(another_machines_file_is_kept_and_not_followed,
                                        folder_make, folder_remove),
        cmocka_unit_test_setup_teardown(each_save_makes_another_file, folder_make,
                                        folder_remove),
        cmocka_unit_test_setup_teardown(what_cannot_be_used_is_an_error, folder_make,
                                        folder_remove),
    };
    return cmocka_run_group_tests_name("journal", tests, NULL, NULL);
}
