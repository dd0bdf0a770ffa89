#include "agent/attach/wanted.h"

#include "tests/unit/test.h"

#define A "aaaaaaaa-0000-4000-8000-000000000000"
#define B "bbbbbbbb-0000-4000-8000-000000000000"
#define C "cccccccc-0000-4000-8000-000000000000"

static struct wanted_table example(void)
{
    struct wanted_table table = {.serial = 3};
    wanted_add_device(wanted_table_add(&table, B), "m2", "<m2/>");
    wanted_add_device(wanted_table_add(&table, A), "m3", "<m3/>");
    wanted_add_device(wanted_table_add(&table, B), "m1", "<m1/>");
    strlist_add(&table.ours, "m3");
    strlist_add(&table.ours, "m1");
    strlist_add(&table.ours, "m3");
    wanted_table_sort(&table);
    return table;
}

static void finds_consumers_and_devices(void **state)
{
    (void)state;
    _cleanup_wanted_table_ struct wanted_table table = example();
    assert_int_equal(table.count, 2);
    assert_string_equal(table.consumers[0].consumer, A);
    const struct wanted *b = wanted_find(&table, B);
    assert_non_null(b);
    assert_int_equal(b->count, 2);
    assert_string_equal(b->devices[0].address, "m1");
    assert_string_equal(b->devices[1].xml, "<m2/>");
    assert_true(wanted_names(b, "m2"));
    assert_false(wanted_names(b, "m3"));
    assert_false(wanted_names(NULL, "m3"));
    assert_null(wanted_find(&table, C));
    assert_true(wanted_has(&table, "m3"));
    assert_false(wanted_has(&table, "m4"));
    assert_int_equal(table.ours.count, 2);
}

static void nothing_is_found_in_an_empty_table(void **state)
{
    (void)state;
    _cleanup_wanted_table_ struct wanted_table table = {0};
    wanted_table_sort(&table);
    assert_null(wanted_find(&table, A));
    assert_false(wanted_has(&table, "m1"));
}

static void a_copy_is_equal_until_something_differs(void **state)
{
    (void)state;
    _cleanup_wanted_table_ struct wanted_table table = example();
    const struct wanted *b = wanted_find(&table, B);
    for (int change = 0; change < 6; change++) {
        _cleanup_wanted_ struct wanted copy = wanted_copy(b);
        assert_true(wanted_equal(b, &copy));
        switch (change) {
        case 0:
            copy.whole = true;
            break;
        case 1:
            copy.heals = true;
            break;
        case 2:
            wanted_add_device(&copy, "m9", "<m9/>");
            break;
        case 3:
            copy.devices[1].address[0] = 'n';
            break;
        case 4:
            copy.devices[1].xml[1] = 'n';
            break;
        default:
            uuid_text_copy(copy.consumer, C);
        }
        assert_false(wanted_equal(b, &copy));
    }
    assert_true(wanted_equal(NULL, NULL));
    assert_false(wanted_equal(b, NULL));
    _cleanup_wanted_ struct wanted none = wanted_copy(NULL);
    assert_int_equal(none.count, 0);
}

static void tables_are_compared_without_their_serials(void **state)
{
    (void)state;
    _cleanup_wanted_table_ struct wanted_table a = example(), b = example();
    b.serial = 4;
    assert_true(wanted_table_equal(&a, &b));
    strlist_add(&b.ours, "m4");
    assert_false(wanted_table_equal(&a, &b));
    wanted_table_clear(&b);
    b = example();
    wanted_table_add(&b, C);
    assert_false(wanted_table_equal(&a, &b));
    wanted_table_clear(&b);
    b = example();
    b.consumers[1].whole = true;
    assert_false(wanted_table_equal(&a, &b));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_consumers_and_devices),
        cmocka_unit_test(nothing_is_found_in_an_empty_table),
        cmocka_unit_test(a_copy_is_equal_until_something_differs),
        cmocka_unit_test(tables_are_compared_without_their_serials),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
