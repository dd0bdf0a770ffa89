#include "lib/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/test.h"

struct place {
    char path[64];
    int fd;
};

static struct place make_place(void)
{
    struct place place = {.path = "/tmp/test-folder-XXXXXX"};
    assert_non_null(mkdtemp(place.path));
    place.fd = open(place.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_true(place.fd >= 0);
    return place;
}

static void drop_place(struct place *place)
{
    close(place->fd);
    assert_int_equal(rmdir(place->path), 0);
}

static void lists_what_has_no_dot(void **state)
{
    (void)state;
    struct place place = make_place();
    assert_int_equal(mkdirat(place.fd, "one", 0700), 0);
    assert_int_equal(mkdirat(place.fd, ".hidden", 0700), 0);
    int errnum = 1;
    {
        _cleanup_folder_ DIR *list = folder_open_list(place.fd, ".");
        assert_non_null(list);
        assert_string_equal(folder_next(list, &errnum), "one");
        assert_null(folder_next(list, &errnum));
        assert_int_equal(errnum, 0);
    }
    assert_null(folder_open_list(place.fd, "none"));
    assert_int_equal(errno, ENOENT);
    assert_int_equal(unlinkat(place.fd, "one", AT_REMOVEDIR), 0);
    assert_int_equal(unlinkat(place.fd, ".hidden", AT_REMOVEDIR), 0);
    drop_place(&place);
}

static void a_folder_that_vanishes_ends_the_list(void **state)
{
    (void)state;
    struct place place = make_place();
    assert_int_equal(mkdirat(place.fd, "gone", 0700), 0);
    _cleanup_folder_ DIR *list = folder_open_list(place.fd, "gone");
    assert_non_null(list);
    assert_int_equal(unlinkat(place.fd, "gone", AT_REMOVEDIR), 0);
    int errnum = 1;
    assert_null(folder_next(list, &errnum));
    assert_int_equal(errnum, 0);
    drop_place(&place);
}

static void opens_folders_only_and_through_links(void **state)
{
    (void)state;
    struct place place = make_place();
    assert_int_equal(mkdirat(place.fd, "one", 0700), 0);
    assert_int_equal(symlinkat("one", place.fd, "link"), 0);
    close(openat(place.fd, "file", O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
    int folder = folder_open(place.fd, "link");
    assert_true(folder >= 0);
    close(folder);
    assert_int_equal(folder_open(place.fd, "file"), -1);
    assert_int_equal(errno, ENOTDIR);
    assert_int_equal(unlinkat(place.fd, "link", 0), 0);
    assert_int_equal(unlinkat(place.fd, "file", 0), 0);
    assert_int_equal(unlinkat(place.fd, "one", AT_REMOVEDIR), 0);
    drop_place(&place);
}

static void gives_a_link_and_its_last_name(void **state)
{
    (void)state;
    struct place place = make_place();
    static const struct {
        const char *target, *name;
    } links[] = {{"../../drivers/nvidia", "nvidia"}, {"nvidia", "nvidia"}};
    for (size_t i = 0; i < sizeof links / sizeof *links; i++) {
        assert_int_equal(symlinkat(links[i].target, place.fd, "driver"), 0);
        _cleanup_free_ char *target = folder_link(place.fd, "driver");
        _cleanup_free_ char *name = folder_link_name(place.fd, "driver");
        assert_string_equal(target, links[i].target);
        assert_string_equal(name, links[i].name);
        assert_int_equal(unlinkat(place.fd, "driver", 0), 0);
    }
    assert_null(folder_link(place.fd, "driver"));
    assert_int_equal(errno, ENOENT);
    assert_null(folder_link_name(place.fd, "driver"));
    drop_place(&place);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_what_has_no_dot),
        cmocka_unit_test(a_folder_that_vanishes_ends_the_list),
        cmocka_unit_test(opens_folders_only_and_through_links),
        cmocka_unit_test(gives_a_link_and_its_last_name),
    };
    return cmocka_run_group_tests_name("folder", tests, NULL, NULL);
}
