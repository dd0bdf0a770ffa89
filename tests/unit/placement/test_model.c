#include "placement/model.h"

#include "tests/unit/test.h"

static const struct inventory inventory = {16, 2, 1, 16, 1, 1.5};

static void inventories_are_equal_in_every_member(void **state)
{
    (void)state;
    struct inventory same = inventory;
    assert_true(inventory_equal(&inventory, &same));
    const struct inventory others[] = {
        {15, 2, 1, 16, 1, 1.5}, {16, 3, 1, 16, 1, 1.5}, {16, 2, 2, 16, 1, 1.5},
        {16, 2, 1, 15, 1, 1.5}, {16, 2, 1, 16, 2, 1.5}, {16, 2, 1, 16, 1, 1.0},
    };
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        assert_false(inventory_equal(&inventory, &others[i]));
}

static void finds_a_class(void **state)
{
    (void)state;
    static char vgpu[] = "VGPU", custom[] = "CUSTOM_VGPU";
    const struct class_inventory items[] = {{custom, inventory}, {vgpu, inventory}};
    assert_ptr_equal(class_inventory_find(items, 2, "VGPU"), &items[1].inventory);
    assert_ptr_equal(class_inventory_find(items, 2, "CUSTOM_VGPU"),
                     &items[0].inventory);
    assert_null(class_inventory_find(items, 1, "VGPU"));
    assert_null(class_inventory_find(NULL, 0, "VGPU"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(inventories_are_equal_in_every_member),
        cmocka_unit_test(finds_a_class),
    };
    return cmocka_run_group_tests_name("model", tests, NULL, NULL);
}
