/* What is said of two Placements that are not the same. */
#include "placement/transfer/compare.h"

#include "lib/xalloc.h"
#include "tests/unit/placement/transfer/small.h"
#include "tests/unit/test.h"

static void expect(const struct snapshot *mine, const struct snapshot *there,
                   const char *lines)
{
    struct comparison comparison;
    snapshot_compare(mine, there, &comparison);
    _cleanup_free_ char *got = strlist_join(&comparison.differences, "\n");
    assert_string_equal(got, lines);
    comparison_clear(&comparison);
}

static void says_nothing_of_the_same(void **state)
{
    _cleanup_snapshot_ struct snapshot mine = {0}, there = {0};
    struct comparison comparison;
    (void)state;
    small_provider(&mine, "p", 4, 0, 1);
    small_provider(&there, "p", 4, 0, 1)->is.generation = 7;
    small_consumer(&mine, A, 2);
    small_consumer(&there, A, 2)->generation = 7;
    /* These come with a release. */
    strlist_add(&mine.classes, "VGPU");
    strlist_add(&there.traits, "HW_NUMA_ROOT");
    snapshot_compare(&mine, &there, &comparison);
    assert_int_equal(comparison.differences.count, 0);
    assert_int_equal(comparison.provider_generations, 1);
    assert_int_equal(comparison.consumer_generations, 1);
    comparison_clear(&comparison);
}

static void says_what_is_there_once(void **state)
{
    _cleanup_snapshot_ struct snapshot mine = {0}, there = {0}, empty = {0};
    (void)state;
    strlist_add(&mine.classes, "CUSTOM_C");
    strlist_add(&mine.traits, "CUSTOM_T");
    small_provider(&mine, "p", 4, 0, 1);
    small_consumer(&mine, A, 2);
    expect(&mine, &empty,
           "class CUSTOM_C: missing there\ntrait CUSTOM_T: missing there\n"
           "provider p (" P "): missing there\nconsumer " A ": missing there");
    expect(&empty, &mine,
           "class CUSTOM_C: only there\ntrait CUSTOM_T: only there\n"
           "provider p (" P "): only there\nconsumer " A ": only there");
}

static void says_what_is_not_the_same(void **state)
{
    _cleanup_snapshot_ struct snapshot mine = {0}, there = {0};
    (void)state;
    struct snapshot_provider *own = small_provider(&mine, "p", 4, 4, 1);
    struct snapshot_provider *other = small_provider(&there, "q", 4, 0, 1);
    strlist_add(&own->traits, "HW_NEW");
    strlist_add(&other->aggregates, B);
    uuid_text_copy(other->is.parent, B);
    small_consumer(&mine, A, 2)->type = xstrdup("INSTANCE");
    small_consumer(&there, A, 3);
    expect(&mine, &there,
           "provider p (" P "): there it is called q\n"
           "provider p (" P "): parent none, there " B "\n"
           "provider p (" P
           "): inventory of VGPU: total 4, reserved 4, units 1 to 4 by "
           "1, ratio 1; there total 4, reserved 0, units 1 to 4 by 1, ratio 1\n"
           "provider p (" P "): trait HW_NEW: missing there\n"
           "provider p (" P "): aggregate " B ": only there\n"
           "consumer " A ": type INSTANCE, there unknown\n"
           "consumer " A ": 2 VGPU of provider " P "; there 3");
}

/* OpenStack's on MariaDB keeps single precision, and gives six digits of it. */
static void ratios_are_the_same_in_six_digits(void **state)
{
    static const struct {
        double mine, there;
        bool same;
    } ratios[] = {
        {0.333333333333, 0.333333, true},
        {1.0 / 3, 0.333332, false},
        {16.123456789, 16.1235, true},
        {1e10 / 3, 3.33333e9, true},
        {1e10 / 3, 3.33334e9, false},
        /* In single precision it is 0.12345650046. */
        {0.1234565, 0.123457, true},
        {1.5, 1.5, true},
        {3.40282e38, 3.40282e38, true},
    };
    (void)state;
    for (size_t i = 0; i < sizeof ratios / sizeof *ratios; i++) {
        const struct inventory mine = {16, 2, 1, 16, 1, ratios[i].mine},
                               there = {16, 2, 1, 16, 1, ratios[i].there},
                               other = {16, 3, 1, 16, 1, ratios[i].there};
        if (snapshot_inventory_equal(&mine, &there) != ratios[i].same)
            fail_msg("%.17g, there %.17g", ratios[i].mine, ratios[i].there);
        assert_false(snapshot_inventory_equal(&mine, &other));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(says_nothing_of_the_same),
        cmocka_unit_test(says_what_is_there_once),
        cmocka_unit_test(says_what_is_not_the_same),
        cmocka_unit_test(ratios_are_the_same_in_six_digits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
