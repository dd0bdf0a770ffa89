#include "tests/unit/test.h"

#include <stdlib.h>
#include <string.h>

#include "lib/cleanup.h"
#include "tests/sim/node.h"

static void links_are_relative(void **state)
{
    (void)state;
    static const struct {
        const char *directory, *target, *text;
    } cases[] = {
        {"class/mdev_bus", "devices/a/b", "../../devices/a/b"},
        {"devices/a/b", "devices/a/c", "../c"},
        {"devices/a", "devices/a/b/c", "b/c"},
        {"devices/a/b/c", "devices/a", "../.."},
        {"devices/ab", "devices/ac/d", "../ac/d"},
        {"devices/a", "devices/ab", "../ab"},
        {"devices/ab", "devices/a", "../a"},
        {"x", "y", "../y"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct node *root = node_new_root();
        struct node *target = node_directory(root, cases[i].target);
        struct node *link =
            node_link(node_directory(root, cases[i].directory), "link", target);
        _cleanup_free_ char *text = node_link_text(link);
        if (strcmp(text, cases[i].text) != 0)
            fail_msg("%s -> %s: %s", cases[i].directory, cases[i].target, text);
        node_remove(root);
    }
}

static void a_node_that_is_held_outlives_its_place(void **state)
{
    (void)state;
    struct node *root = node_new_root();
    struct node *directory = node_directory(root, "a/b");
    struct node *file = node_ref(node_text(directory, "file", "%d\n", 7));
    uint64_t number = file->number;
    node_remove(node_find(root, "a"));
    assert_null(node_find(root, "a"));
    assert_true(file->removed);
    _cleanup_free_ char *path = node_path(file);
    assert_string_equal(path, "a/b/file");

    /* The same name again is another node. */
    struct node *again = node_text(node_directory(root, "a/b"), "file", "8\n");
    assert_true(again != file && again->number > number && !again->removed);
    node_remove(file); /* does nothing */
    assert_ptr_equal(node_find(root, "a/b/file"), again);
    node_unref(file);
    node_remove(root);
}

static void many_children_are_all_found(void **state)
{
    (void)state;
    struct node *root = node_new_root();
    char name[16];
    for (int i = 0; i < 1000; i++) {
        snprintf(name, sizeof name, "n%d", i);
        node_directory(root, name);
    }
    for (int i = 0; i < 1000; i += 2) {
        snprintf(name, sizeof name, "n%d", i);
        node_remove(node_child(root, name));
    }
    assert_int_equal(root->child_count, 500);
    for (int i = 0; i < 1000; i++) {
        snprintf(name, sizeof name, "n%d", i);
        assert_int_equal(node_child(root, name) != NULL, i % 2);
    }
    node_remove(root);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(links_are_relative),
        cmocka_unit_test(a_node_that_is_held_outlives_its_place),
        cmocka_unit_test(many_children_are_all_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
