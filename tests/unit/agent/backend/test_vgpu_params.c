#include "tests/unit/test.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "agent/backend/vgpu_params.h"
#include "lib/files.h"
#include "lib/folder.h"
#include "tests/unit/tree.h"

/* A file in the place of the driver's, which keeps what is beyond the last store, so that
 * it can show something else than was written. */
struct fixture {
    char *root;
    int folder;
};

static struct fixture set_up(const char *content)
{
    struct fixture fixture = {.root = tree_new()};
    const struct tree_entry entry = {VGPU_PARAMETERS, content};
    tree_fill(fixture.root, &entry, 1);
    fixture.folder = folder_open(AT_FDCWD, fixture.root);
    assert_true(fixture.folder >= 0);
    return fixture;
}

/* Nobody else has it done. */
static const struct device_place nobody = {0};

static void tear_down(struct fixture *fixture)
{
    close(fixture->folder);
    tree_free(fixture->root);
}

static void takes_what_the_driver_shows_with_others(void **state)
{
    (void)state;
    static const char *const before[] = {"", "........\n", "........ c=3, d=4\n"};
    for (size_t i = 0; i < sizeof before / sizeof *before; i++) {
        struct fixture fixture = set_up(before[i]);
        struct error err = {0};
        assert_ok(vgpu_params_write(&nobody, fixture.folder, "device", "a=1, b=2",
                                    false, &err),
                  &err);
        tear_down(&fixture);
    }
}

static void refuses_what_the_driver_shows_otherwise(void **state)
{
    (void)state;
    struct fixture fixture = set_up("frame_rate_limiter=0");
    struct error err = {0};
    assert_int_equal(
        vgpu_params_write(&nobody, fixture.folder, "device", "a=1", false, &err), -1);
    assert_int_equal(err.code, ERROR_IO);
    assert_non_null(strstr(err.text, "took the parameters 'a=1' for device, and shows "
                                     "'a=1me_rate_limiter=0'"));
    tear_down(&fixture);
}

static void says_that_there_are_none(void **state)
{
    (void)state;
    struct fixture fixture = set_up("");
    struct error err = {0};
    char *text = NULL;
    tree_remove(fixture.root, VGPU_PARAMETERS);
    assert_int_equal(vgpu_params_read(fixture.folder, "device", &text, &err), -1);
    assert_int_equal(err.code, ERROR_UNSUPPORTED);
    assert_int_equal(
        vgpu_params_write(&nobody, fixture.folder, "device", "a=1", true, &err), -1);
    assert_int_equal(err.code, ERROR_UNSUPPORTED);
    tear_down(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_what_the_driver_shows_with_others),
        cmocka_unit_test(refuses_what_the_driver_shows_otherwise),
        cmocka_unit_test(says_that_there_are_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
