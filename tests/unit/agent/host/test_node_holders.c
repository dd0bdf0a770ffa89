#include "tests/unit/test.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/host/node_holders.h"
#include "lib/folder.h"
#include "tests/unit/tree.h"

static int check(const char *tree, const char *node, struct error *err)
{
    _cleanup_close_ int root = folder_open(AT_FDCWD, tree);
    _cleanup_strlist_ struct strlist nodes = {0};
    *err = (struct error){0};
    strlist_add(&nodes, node);
    return node_check_closed(root, &nodes, err);
}

static void names_who_has_a_node_open(void **state)
{
    (void)state;
    static const struct {
        const char *node, *target;
        bool open;
    } cases[] = {
        {"/dev/dri/card0", "/dev/dri/card0", true},
        {"/dev/dri/card0", "/dev/dri/card01", false},
        {"/dev/dri/card0", "/dri/card0", true},
        {"/dev/dri/card0", "/srv/root/dev/dri/card0", true},
        {"/dev/dri/card0", "/dev/dri/card0 (deleted)", true},
        {"/dev/nvidia1", "/dev/nvidia1", true},
        {"/dev/nvidia1", "/dev/nvidia10", false},
        {"/dev/nvidia1", "/dev/nvidiactl", false},
        {"/dev/nvidia*", "/dev/nvidiactl", true},
        {"/dev/nvidia*", "/nvidia7", true},
        {"/dev/nvidia*", "/srv/root/dev/nvidia7", true},
        {"/dev/nvidia*", "/var/log/nvidia.log", false},
        /* A device of VFIO without a node is no holder of another kind's. */
        {"/dev/dri/card0", "anon_inode:[vfio-device]", false},
        {"/dev/vfio/7", "anon_inode:[vfio-device]", true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *tree = tree_new();
        struct error err;
        tree_proc(tree);
        tree_link(tree, "proc/42/fd/5", cases[i].target);
        tree_write(tree, "proc/42/comm", "Xorg\n");
        bool open = check(tree, cases[i].node, &err) != 0;
        if (open != cases[i].open ||
            (open && !strstr(err.text, "process 42 (Xorg) has /dev/")))
            fail_msg("%s, %s: %s", cases[i].node, cases[i].target, err.text);
        tree_free(tree);
    }
}

static void what_cannot_be_seen_is_not_closed(void **state)
{
    (void)state;
    char *tree = tree_new();
    struct error err;
    tree_proc(tree);
    tree_remove(tree, "proc/1/ns");
    assert_int_equal(check(tree, "/dev/dri/card0", &err), -1);
    assert_int_equal(err.code, ERROR_BUSY);
    assert_non_null(strstr(err.text, "it is not known whether a process has "
                                     "/dev/dri/card0 open: "));
    tree_remove(tree, "proc");
    assert_int_equal(check(tree, "/dev/dri/card0", &err), -1);
    tree_free(tree);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_who_has_a_node_open),
        cmocka_unit_test(what_cannot_be_seen_is_not_closed),
    };
    return cmocka_run_group_tests_name("node_holders", tests, NULL, NULL);
}
