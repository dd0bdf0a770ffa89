#include "lib/strlist.h"

#include <stdlib.h>
#include <string.h>

#include "lib/xalloc.h"
#include "tests/unit/test.h"

/* Joined with '|', for comparisons. */
static void assert_list(const struct strlist *list, const char *expected)
{
    _cleanup_free_ char *joined = strlist_join(list, "|");
    assert_string_equal(joined, expected);
}

static void adds_and_removes(void **state)
{
    (void)state;
    _cleanup_strlist_ struct strlist list = {0};
    strlist_add(&list, "b");
    strlist_add_take(&list, xstrdup("a"));
    assert_true(strlist_add_unique(&list, "c"));
    assert_false(strlist_add_unique(&list, "a"));
    strlist_add(&list, "b");
    assert_list(&list, "b|a|c|b");
    assert_true(strlist_contains(&list, "c"));
    assert_false(strlist_contains(&list, "C"));
    assert_true(strlist_remove(&list, "b"));
    assert_list(&list, "a|c|b");
    assert_false(strlist_remove(&list, "d"));
    assert_true(strlist_remove(&list, "b"));
    assert_true(strlist_remove(&list, "c"));
    assert_true(strlist_remove(&list, "a"));
    assert_int_equal(list.count, 0);
}

/* Removal keeps the room that additions rely on, whatever the count is. */
static void grows_again_after_removals(void **state)
{
    (void)state;
    for (size_t most = 1; most <= 20; most++) {
        _cleanup_strlist_ struct strlist list = {0};
        for (size_t round = 0; round < 3; round++) {
            while (list.count < most)
                strlist_add_take(&list, xasprintf("%zu", list.count));
            while (list.count > most / 2)
                assert_true(strlist_remove(&list, list.items[list.count - 1]));
        }
        for (size_t i = 0; i < list.count; i++)
            assert_int_equal(strtoul(list.items[i], NULL, 10), i);
    }
}

static void sorts(void **state)
{
    (void)state;
    _cleanup_strlist_ struct strlist list = {0}, empty = {0};
    strlist_sort(&empty);
    strlist_sort_unique(&empty);
    assert_false(strlist_sorted_contains(&empty, "a"));
    static const char *const texts[] = {"b", "a", "c", "a", "b", "a"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        strlist_add(&list, texts[i]);
    strlist_sort(&list);
    assert_list(&list, "a|a|a|b|b|c");
    strlist_sort_unique(&list);
    assert_list(&list, "a|b|c");
    assert_true(strlist_sorted_contains(&list, "a"));
    assert_true(strlist_sorted_contains(&list, "c"));
    assert_false(strlist_sorted_contains(&list, "bb"));
}

static void compares_in_order(void **state)
{
    (void)state;
    _cleanup_strlist_ struct strlist list = {0};
    strlist_add(&list, "a");
    strlist_add(&list, "b");
    _cleanup_strlist_ struct strlist copy = strlist_copy(&list);
    assert_true(strlist_equal(&list, &copy));
    assert_ptr_not_equal(list.items[0], copy.items[0]);
    strlist_add(&copy, "c");
    assert_false(strlist_equal(&list, &copy));
    strlist_add(&list, "d");
    assert_false(strlist_equal(&list, &copy));
}

static void splits(void **state)
{
    (void)state;
    static const struct {
        const char *text, *stripped, *exact;
    } cases[] = {
        {"", "", ""},
        {"a", "a", "a"},
        {" a , b,c ", "a|b|c", " a | b|c "},
        {"a,,b,", "a||b|", "a||b|"},
        {" \t ", "", " \t "},
        {"a b", "a b", "a b"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        _cleanup_strlist_ struct strlist stripped = strlist_split(cases[i].text, ',');
        _cleanup_strlist_ struct strlist exact =
            strlist_split_exact(cases[i].text, ',');
        assert_list(&stripped, cases[i].stripped);
        assert_list(&exact, cases[i].exact);
        assert_int_equal(stripped.count, exact.count);
    }
    _cleanup_strlist_ struct strlist one = strlist_split("", ',');
    assert_int_equal(one.count, 1);
}

static void joins(void **state)
{
    (void)state;
    _cleanup_strlist_ struct strlist list = {0};
    _cleanup_free_ char *none = strlist_join(&list, ", ");
    assert_string_equal(none, "");
    strlist_add(&list, "a");
    strlist_add(&list, "");
    strlist_add(&list, "b");
    _cleanup_free_ char *three = strlist_join(&list, ", ");
    assert_string_equal(three, "a, , b");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(adds_and_removes),
        cmocka_unit_test(grows_again_after_removals),
        cmocka_unit_test(sorts),
        cmocka_unit_test(compares_in_order),
        cmocka_unit_test(splits),
        cmocka_unit_test(joins),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
