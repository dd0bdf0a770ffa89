#include "lib/files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "lib/xalloc.h"
#include "tests/unit/test.h"

static int syncs;

int fsync(int fd)
{
    assert_true(fd >= 0);
    syncs++;
    return 0;
}

struct folder {
    char path[32];
    int fd;
};

static int set_up(void **state)
{
    struct folder *folder = xcalloc(1, sizeof *folder);
    snprintf(folder->path, sizeof folder->path, "/tmp/test_files.XXXXXX");
    assert_non_null(mkdtemp(folder->path));
    folder->fd = open(folder->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_true(folder->fd >= 0);
    *state = folder;
    return 0;
}

static int tear_down(void **state)
{
    struct folder *folder = *state;
    DIR *list = opendir(folder->path);
    for (struct dirent *entry; list && (entry = readdir(list));)
        if (entry->d_name[0] != '.' && unlinkat(folder->fd, entry->d_name, 0) != 0)
            (void)unlinkat(folder->fd, entry->d_name, AT_REMOVEDIR);
    closedir(list);
    close(folder->fd);
    assert_int_equal(rmdir(folder->path), 0);
    free(folder);
    return 0;
}

static void make(const struct folder *folder, const char *name, const char *text,
                 size_t length)
{
    _cleanup_close_ int fd =
        openat(folder->fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_int_equal(write(fd, text, length), length);
}

static void assert_holds(const struct folder *folder, const char *name,
                         const char *expected)
{
    _cleanup_free_ char *text = NULL;
    struct error err;
    assert_ok(file_read_at(folder->fd, name, 1 << 20, &text, NULL, &err), &err);
    assert_string_equal(text, expected);
}

static size_t count_files(const struct folder *folder)
{
    size_t count = 0;
    DIR *list = opendir(folder->path);
    for (struct dirent *entry; (entry = readdir(list));)
        count += entry->d_name[0] != '.';
    closedir(list);
    return count;
}

/* ---- reading ---- */

static void reads_whole_files_up_to_a_bound(void **state)
{
    const struct folder *folder = *state;
    static const size_t sizes[] = {0, 1, 4095, 4096, 4097, 10000};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        _cleanup_free_ char *written = xcalloc(sizes[i] + 1, 1), *text = NULL;
        for (size_t k = 0; k < sizes[i]; k++)
            written[k] = (char)(k % 251); /* NUL among them */
        make(folder, "file", written, sizes[i]);
        struct error err;
        size_t length;
        assert_ok(file_read_at(folder->fd, "file", sizes[i], &text, &length, &err),
                  &err);
        assert_int_equal(length, sizes[i]);
        assert_memory_equal(text, written, sizes[i] + 1);
        if (sizes[i] == 0)
            continue;
        char *untouched = NULL;
        assert_int_equal(
            file_read_at(folder->fd, "file", sizes[i] - 1, &untouched, &length, &err),
            -1);
        assert_int_equal(err.code, ERROR_INVALID);
        assert_null(untouched);
    }
}

/* Their size says nothing, as with sysfs's. */
static void reads_files_whose_size_is_not_told(void **state)
{
    (void)state;
    _cleanup_free_ char *text = NULL;
    struct error err;
    size_t length = 0;
    assert_ok(file_read_at(AT_FDCWD, "/proc/self/maps", 1 << 20, &text, &length, &err),
              &err);
    assert_true(length > 4096 ? strlen(text) == length : length > 0);
}

static void says_why_a_file_cannot_be_read(void **state)
{
    const struct folder *folder = *state;
    char *text = NULL;
    struct error err;
    assert_int_equal(file_read_at(folder->fd, "none", 10, &text, NULL, &err), -1);
    assert_int_equal(err.code, ERROR_NOT_FOUND);
    assert_string_equal(err.text, "none: No such file or directory");
    assert_int_equal(file_read_at(folder->fd, ".", 10, &text, NULL, &err), -1);
    assert_int_equal(err.code, ERROR_INVALID);
    /* Nobody writes into it: opening it must not wait. */
    assert_int_equal(mkfifoat(folder->fd, "fifo", 0600), 0);
    assert_int_equal(file_read_at(folder->fd, "fifo", 10, &text, NULL, &err), -1);
    assert_int_equal(err.code, ERROR_INVALID);
    assert_null(text);
}

static void attributes_lose_one_newline(void **state)
{
    const struct folder *folder = *state;
    static const struct {
        const char *written, *value;
    } cases[] = {
        {"", ""}, {"\n", ""}, {"16\n", "16"}, {"16", "16"}, {"a\nb\n\n", "a\nb\n"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        _cleanup_free_ char *value = NULL;
        struct error err;
        make(folder, "attribute", cases[i].written, strlen(cases[i].written));
        assert_ok(attribute_read_at(folder->fd, "attribute", &value, &err), &err);
        assert_string_equal(value, cases[i].value);
    }
}

static void attributes_have_one_page(void **state)
{
    const struct folder *folder = *state;
    char page[ATTRIBUTE_MAX + 1];
    memset(page, 'x', sizeof page);
    _cleanup_free_ char *value = NULL;
    struct error err;
    make(folder, "attribute", page, ATTRIBUTE_MAX);
    assert_ok(attribute_read_at(folder->fd, "attribute", &value, &err), &err);
    assert_int_equal(strlen(value), ATTRIBUTE_MAX);
    char *untouched = NULL;
    make(folder, "attribute", page, ATTRIBUTE_MAX + 1);
    assert_int_equal(attribute_read_at(folder->fd, "attribute", &untouched, &err), -1);
    assert_int_equal(err.code, ERROR_INVALID);
    assert_null(untouched);
}

/* ---- stores ---- */

static void stores_into_what_is_there_only(void **state)
{
    const struct folder *folder = *state;
    struct error err;
    assert_int_equal(attribute_store_at(folder->fd, "create", "uuid", &err), -1);
    assert_int_equal(err.errnum, ENOENT);
    assert_int_equal(count_files(folder), 0);
    make(folder, "create", "", 0);
    assert_ok(attribute_store_at(folder->fd, "create", "uuid", &err), &err);
    assert_holds(folder, "create", "uuid");
}

static void a_short_store_is_not_continued(void **state)
{
    const struct folder *folder = *state;
    struct error err;
    struct rlimit before, four = {.rlim_cur = 4, .rlim_max = RLIM_INFINITY};
    make(folder, "create", "", 0);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    four.rlim_max = before.rlim_max;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &four), 0);
    int rc = attribute_store_at(folder->fd, "create", "123456", &err);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(rc, -1);
    assert_string_equal(err.text, "create: the kernel took 4 of 6 bytes");
    assert_holds(folder, "create", "1234");
}

/* ---- replacing ---- */

static void replaces_and_leaves_nothing_behind(void **state)
{
    const struct folder *folder = *state;
    struct error err;
    struct stat st;
    mode_t mask = umask(0);
    assert_ok(file_replace_at(folder->fd, "state", "one", 3, 0640, &err), &err);
    assert_holds(folder, "state", "one");
    assert_int_equal(fstatat(folder->fd, "state", &st, 0), 0);
    assert_int_equal(st.st_mode & 0777, 0640);
    assert_ok(file_replace_at(folder->fd, "state", "two", 3, 0600, &err), &err);
    umask(mask);
    assert_holds(folder, "state", "two");
    assert_int_equal(fstatat(folder->fd, "state", &st, 0), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(count_files(folder), 1);
}

/* The file and its folder, where it must outlive a power cut. */
static void only_what_must_last_waits_for_the_disk(void **state)
{
    const struct folder *folder = *state;
    struct error err;
    syncs = 0;
    assert_ok(file_replace_lightly_at(folder->fd, "state", "one", 3, 0600, &err), &err);
    assert_holds(folder, "state", "one");
    assert_ok(file_replace_lightly_at(folder->fd, "state", "two", 3, 0600, &err), &err);
    assert_holds(folder, "state", "two");
    assert_int_equal(count_files(folder), 1);
    assert_int_equal(syncs, 0);
    assert_ok(file_replace_at(folder->fd, "state", "one", 3, 0600, &err), &err);
    assert_int_equal(syncs, 2);
}

/* What a crash left behind is no obstacle, and is not followed where it is a link. */
static void an_old_temporary_file_is_no_obstacle(void **state)
{
    const struct folder *folder = *state;
    struct error err;
    make(folder, "state.new", "half", 4);
    assert_ok(file_replace_at(folder->fd, "state", "one", 3, 0600, &err), &err);
    assert_holds(folder, "state", "one");
    make(folder, "other", "mine", 4);
    assert_int_equal(symlinkat("other", folder->fd, "state.new"), 0);
    assert_ok(file_replace_at(folder->fd, "state", "two", 3, 0600, &err), &err);
    assert_holds(folder, "state", "two");
    assert_holds(folder, "other", "mine");
    assert_int_equal(count_files(folder), 2);
}

static void a_failed_replacement_changes_nothing(void **state)
{
    const struct folder *folder = *state;
    struct error err;
    struct rlimit before, four;
    assert_int_equal(mkdirat(folder->fd, "taken", 0700), 0);
    assert_int_equal(file_replace_at(folder->fd, "taken", "x", 1, 0600, &err), -1);
    assert_int_equal(count_files(folder), 1);

    make(folder, "state", "old", 3);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    four = (struct rlimit){.rlim_cur = 4, .rlim_max = before.rlim_max};
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &four), 0);
    int rc = file_replace_at(folder->fd, "state", "123456", 6, 0600, &err);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(rc, -1);
    assert_int_equal(err.errnum, EFBIG);
    assert_holds(folder, "state", "old");
    assert_int_equal(count_files(folder), 2);
}

static void root_gives_files_to_the_owner_of_the_folder(void **state)
{
    const struct folder *folder = *state;
    struct error err;
    struct stat st;
    if (geteuid() != 0)
        skip_because("only root can give files away");
    assert_int_equal(fchown(folder->fd, 65534, 65533), 0);
    assert_ok(file_replace_at(folder->fd, "state", "x", 1, 0600, &err), &err);
    assert_int_equal(fstatat(folder->fd, "state", &st, 0), 0);
    assert_int_equal(st.st_uid, 65534);
    assert_int_equal(st.st_gid, 65533);
}

static void opens_the_folder_of_a_path(void **state)
{
    const struct folder *folder = *state;
    struct error err;
    const char *name = NULL;
    _cleanup_free_ char *path = xasprintf("%s/state.json", folder->path);
    _cleanup_close_ int fd = file_open_folder(path, &name, &err);
    struct stat expected, got;
    assert_string_equal(name, "state.json");
    assert_int_equal(fstat(folder->fd, &expected), 0);
    assert_int_equal(fstat(fd, &got), 0);
    assert_int_equal(got.st_ino, expected.st_ino);

    _cleanup_close_ int root = file_open_folder("/file", &name, &err);
    assert_string_equal(name, "file");
    assert_int_equal(stat("/", &expected), 0);
    assert_int_equal(fstat(root, &got), 0);
    assert_int_equal(got.st_ino, expected.st_ino);

    _cleanup_close_ int here = file_open_folder("file", &name, &err);
    assert_string_equal(name, "file");
    assert_true(here >= 0);
    assert_int_equal(file_open_folder("/no/such/folder/file", &name, &err), -1);
    assert_int_equal(err.code, ERROR_NOT_FOUND);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(reads_whole_files_up_to_a_bound),
        TEST(reads_files_whose_size_is_not_told),
        TEST(says_why_a_file_cannot_be_read),
        TEST(attributes_lose_one_newline),
        TEST(attributes_have_one_page),
        TEST(stores_into_what_is_there_only),
        TEST(a_short_store_is_not_continued),
        TEST(replaces_and_leaves_nothing_behind),
        TEST(only_what_must_last_waits_for_the_disk),
        TEST(an_old_temporary_file_is_no_obstacle),
        TEST(a_failed_replacement_changes_nothing),
        TEST(root_gives_files_to_the_owner_of_the_folder),
        TEST(opens_the_folder_of_a_path),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
