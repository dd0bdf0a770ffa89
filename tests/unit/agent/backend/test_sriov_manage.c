#include "tests/unit/test.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "agent/backend/sriov_manage.h"
#include "lib/clock.h"
#include "lib/xalloc.h"
#include "tests/unit/tree.h"

#define CARD "0000:41:00.0"
#define NUMVFS "bus/pci/devices/" CARD "/sriov_numvfs"
#define ENOUGH 60000 /* milliseconds; never waited out when all is well */

struct rig {
    char *tree, *program;
    struct device_place place;
};

/* `script` is run in the tree's folder, with the program's arguments. */
static struct rig set_up(const char *script)
{
    struct rig rig = {.tree = tree_new()};
    _cleanup_free_ char *text = xasprintf("#!/bin/sh\ncd %s || exit 9\n"
                                          "echo \"$*\" >>calls\n%s\n",
                                          rig.tree, script);
    tree_proc(rig.tree);
    tree_write(rig.tree, NUMVFS, "0\n");
    tree_write(rig.tree, "calls", "");
    tree_write(rig.tree, "program", text);
    rig.program = xasprintf("%s/program", rig.tree);
    assert_int_equal(chmod(rig.program, 0700), 0);
    rig.place = (struct device_place){rig.tree, {.root = rig.tree}};
    return rig;
}

static void tear_down(struct rig *rig)
{
    free(rig->program);
    tree_free(rig->tree);
}

static int enable(const struct rig *rig, int patience, struct error *err)
{
    *err = (struct error){0};
    return sriov_manage_enable(rig->program, &rig->place, CARD,
                               clock_monotonic_ms() + patience, err);
}

static void assert_calls(const struct rig *rig, const char *expected)
{
    _cleanup_free_ char *calls = tree_read(rig->tree, "calls");
    assert_string_equal(calls, expected);
}

static void functions_are_counted(void **state)
{
    (void)state;
    struct error err;
    struct rig rig = set_up("echo 16 >" NUMVFS "; exit 1");
    assert_ok(enable(&rig, ENOUGH, &err), &err);
    assert_calls(&rig, "-e " CARD "\n");
    tear_down(&rig);
    rig = set_up("echo first; echo 'it did nothing' >&2; exit 0");
    assert_int_equal(enable(&rig, ENOUGH, &err), -1);
    assert_int_equal(err.code, ERROR_IO);
    assert_non_null(strstr(err.text, "no virtual function is enabled: it did nothing"));
    assert_calls(&rig, "-e " CARD "\n");
    tear_down(&rig);
}

static void a_lock_that_is_held_is_tried_again(void **state)
{
    (void)state;
    struct error err;
    struct rig rig = set_up("[ $(wc -l <calls) = 2 ] && echo 16 >" NUMVFS
                            " && exit\necho 'Cannot obtain unbindLock for " CARD "'");
    assert_ok(enable(&rig, ENOUGH, &err), &err);
    assert_calls(&rig, "-e " CARD "\n-e " CARD "\n");
    tear_down(&rig);
}

static void who_holds_the_lock_is_named(void **state)
{
    (void)state;
    struct error err;
    struct rig rig = set_up("echo 'Cannot obtain unbindLock for " CARD "'; exit 1");
    tree_link(rig.tree, "proc/77/fd/3", "/dev/nvidiactl");
    tree_write(rig.tree, "proc/77/comm", "nvidia-smi\n");
    tree_link(rig.tree, "proc/78/fd/3", "/dev/null");
    assert_int_equal(enable(&rig, 500, &err), -1);
    assert_int_equal(err.code, ERROR_TIMEOUT);
    assert_non_null(strstr(err.text, "/dev/nvidia* is open in 77 (nvidia-smi)"));
    assert_null(strstr(err.text, "78"));
    tree_remove(rig.tree, "proc/77");
    assert_int_equal(enable(&rig, 500, &err), -1);
    assert_non_null(strstr(err.text, "no process that can be seen"));
    tear_down(&rig);
}

static void one_that_does_not_end_is_ended(void **state)
{
    (void)state;
    struct error err;
    struct rig rig = set_up("echo $$ >pid; exec sleep 1000");
    assert_int_equal(enable(&rig, 500, &err), -1);
    assert_int_equal(err.code, ERROR_TIMEOUT);
    assert_non_null(strstr(err.text, "did not end in time"));
    tear_down(&rig);
}

static void one_that_says_much(void **state)
{
    (void)state;
    struct error err;
    struct rig rig = set_up("head -c 300000 /dev/zero | tr '\\0' x; echo 16 >" NUMVFS);
    assert_ok(enable(&rig, ENOUGH, &err), &err);
    tear_down(&rig);
}

static void one_that_is_not_there(void **state)
{
    (void)state;
    struct error err;
    struct rig rig = set_up("");
    tree_remove(rig.tree, "program");
    assert_int_equal(enable(&rig, ENOUGH, &err), -1);
    assert_int_equal(err.code, ERROR_NOT_FOUND);
    tear_down(&rig);
}

static void which_cards_it_is_for(void **state)
{
    (void)state;
    struct gpu gpu = {.vf_total = 16, .driver = (char *)"nvidia"};
    assert_true(sriov_manage_is_for(&gpu));
    gpu.vf_enabled = 16;
    assert_false(sriov_manage_is_for(&gpu));
    gpu.vf_enabled = 0;
    gpu.driver = (char *)"vfio-pci";
    assert_false(sriov_manage_is_for(&gpu));
    gpu.driver = NULL;
    assert_false(sriov_manage_is_for(&gpu));
    gpu.driver = (char *)"nvidia";
    gpu.vf_total = 0;
    assert_false(sriov_manage_is_for(&gpu));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(functions_are_counted),
        cmocka_unit_test(a_lock_that_is_held_is_tried_again),
        cmocka_unit_test(who_holds_the_lock_is_named),
        cmocka_unit_test(one_that_does_not_end_is_ended),
        cmocka_unit_test(one_that_says_much),
        cmocka_unit_test(one_that_is_not_there),
        cmocka_unit_test(which_cards_it_is_for),
    };
    return cmocka_run_group_tests_name("sriov_manage", tests, NULL, NULL);
}
