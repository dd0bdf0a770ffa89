#include "tests/unit/test.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/backend/nvidia_vfio_files.h"
#include "lib/cleanup.h"
#include "lib/files.h"
#include "lib/folder.h"
#include "lib/xalloc.h"
#include "tests/unit/tree.h"

#define PF "0000:41:00.0"
#define VF "0000:41:00.4"

/* "1147=NVIDIA L40S-1Q|..." */
static char *parsed(const char *text)
{
    _cleanup_vgpu_types_ struct vgpu_types types = {0};
    vgpu_types_parse(text, &types);
    char *all = xstrdup("");
    for (size_t i = 0; i < types.count; i++) {
        char *more =
            xasprintf("%s%s=%s|", all, types.items[i].number, types.items[i].name);
        free(all);
        all = more;
    }
    return all;
}

static void lists(void **state)
{
    (void)state;
    static const struct {
        const char *text, *expected;
    } cases[] = {
        {"", ""},
        {"\n", ""},
        {"ID    : vGPU Name\n", ""},
        {"ID    : vGPU Name\n1147  : NVIDIA L40S-1Q\n", "1147=NVIDIA L40S-1Q|"},
        {"1147  : NVIDIA L40S-1Q", "1147=NVIDIA L40S-1Q|"},
        {" 1147:NVIDIA L40S-1Q \r\n\n12 : GRID\n", "1147=NVIDIA L40S-1Q|12=GRID|"},
        {"1147\n1148 :\n1149 : \n: x\n-1 : x\n1.5 : x\n", ""},
        {"1147 : a : b\n", "1147=a : b|"},
        {"123456789012 : too long\n", ""},
        {"7 : \xc3\xa9\n", "7=\?\?|"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        _cleanup_free_ char *got = parsed(cases[i].text);
        if (strcmp(got, cases[i].expected) != 0)
            fail_msg("%zu: %s", i, got);
    }
}

/* The kernel gives one page, and cuts off what does not fit. */
static void the_last_line_of_a_full_page_is_not_believed(void **state)
{
    (void)state;
    _cleanup_free_ char *text = xcalloc(ATTRIBUTE_MAX, 1);
    memset(text, 'x', ATTRIBUTE_MAX - 1);
    memcpy(text, "1147 : NVIDIA L40S-1Q\n", 22);
    memcpy(text + ATTRIBUTE_MAX - 24, "\n1156 : NVIDIA L40S-4xx", 23);
    _cleanup_free_ char *got = parsed(text);
    assert_string_equal(got, "1147=NVIDIA L40S-1Q|");
}

static int function_folder(const char *tree)
{
    int root = folder_open(AT_FDCWD, tree);
    int function = folder_open(root, VF);
    close(root);
    return function;
}

static void the_current_type(void **state)
{
    (void)state;
    static const struct {
        const char *text, *expected; /* NULL: refused */
    } cases[] = {
        {"0\n", "0"}, {"1147\n", "1147"}, {"1147", "1147"}, {"1147 \n", "1147"},
        {"\n", NULL}, {"none\n", NULL},   {"11x\n", NULL},  {"-1\n", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *tree = tree_new();
        tree_write(tree, VF "/" VGPU_CURRENT, cases[i].text);
        _cleanup_close_ int function = function_folder(tree);
        assert_true(vgpu_function_takes_types(function));
        char number[VGPU_NUMBER_SIZE] = "?";
        struct error err = {0};
        int rc = vgpu_read_current(function, number, &err);
        assert_int_equal(rc, cases[i].expected ? 0 : -1);
        assert_string_equal(number, cases[i].expected ? cases[i].expected : "?");
        tree_free(tree);
    }
}

static void writing(void **state)
{
    (void)state;
    char *tree = tree_new();
    struct error err = {0};
    tree_write(tree, VF "/" VGPU_CURRENT, "0\n");
    _cleanup_close_ int function = function_folder(tree);
    assert_ok(vgpu_write_current(function, VF, "1147", &err), &err);
    _cleanup_free_ char *text = tree_read(tree, VF "/" VGPU_CURRENT);
    assert_true(strncmp(text, "1147", 4) == 0);
    tree_link(tree, VF "/" VGPU_CURRENT, "/dev/full");
    assert_int_equal(vgpu_write_current(function, VF, "1147", &err), -1);
    assert_int_equal(err.code, ERROR_EXHAUSTED);
    tree_remove(tree, VF "/nvidia");
    assert_int_equal(vgpu_write_current(function, VF, "0", &err), -1);
    assert_int_equal(err.code, ERROR_NOT_FOUND);
    assert_false(vgpu_function_takes_types(function));
    tree_free(tree);
}

static void only_a_card_in_sriov_mode_is_written(void **state)
{
    (void)state;
    char *tree = tree_new();
    struct error err = {0};
    tree_write(tree, PF "/sriov_totalvfs", "16\n");
    _cleanup_close_ int root = folder_open(AT_FDCWD, tree);
    _cleanup_close_ int card = folder_open(root, PF);
    assert_int_equal(vgpu_check_sriov_mode(card, &err), -1);
    assert_int_equal(err.code, ERROR_NOT_FOUND);
    tree_write(tree, PF "/sriov_numvfs", "0\n");
    assert_int_equal(vgpu_check_sriov_mode(card, &err), -1);
    assert_int_equal(err.code, ERROR_FORBIDDEN);
    tree_write(tree, PF "/sriov_numvfs", "2\n");
    tree_write(tree, VF "/" VGPU_CURRENT, "0\n");
    tree_link(tree, PF "/virtfn1", "../" VF);
    assert_ok(vgpu_check_sriov_mode(card, &err), &err);
    tree_folder(tree, VF "/mdev_supported_types");
    assert_int_equal(vgpu_check_sriov_mode(card, &err), -1);
    assert_non_null(strstr(err.text, "offered by its virtual functions"));
    tree_free(tree);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists),
        cmocka_unit_test(the_last_line_of_a_full_page_is_not_believed),
        cmocka_unit_test(the_current_type),
        cmocka_unit_test(writing),
        cmocka_unit_test(only_a_card_in_sriov_mode_is_written),
    };
    return cmocka_run_group_tests_name("nvidia_vfio_files", tests, NULL, NULL);
}
