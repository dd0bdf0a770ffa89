#include "lib/lower_bound.h"

#include "tests/unit/test.h"

/* Every length up to 20, and each place in it: before, at and after each item. */
static void finds_every_place(void **state)
{
    (void)state;
    int items[20];
    for (int i = 0; i < 20; i++)
        items[i] = 10 * i;
    for (size_t count = 0; count <= 20; count++)
        for (int wanted = -5; wanted <= 205; wanted += 5) {
            size_t expected = 0;
            while (expected < count && items[expected] < wanted)
                expected++;
            assert_int_equal(lower_bound(i, count, items[i] < wanted), expected);
        }
}

static void of_equal_ones_the_first(void **state)
{
    (void)state;
    static const int items[] = {1, 2, 2, 2, 2, 2, 3};
    assert_int_equal(lower_bound(i, 7, items[i] < 2), 1);
    assert_int_equal(lower_bound(i, 7, items[i] < 3), 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_every_place),
        cmocka_unit_test(of_equal_ones_the_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
