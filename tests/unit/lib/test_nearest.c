#include "lib/nearest.h"

#include "tests/unit/test.h"

static void test_names(void **state)
{
    (void)state;
    static const char *const names[] = {"allocations", "check-config", "plan", "prune",
                                        "run",         "types",        "tree"};
    static const struct {
        const char *word, *expected;
    } cases[] = {
        {"alocations", "allocations"},
        {"Allocations", "allocations"},
        {"allocatinos", "allocations"},
        {"check_config", "check-config"},
        {"check", "check-config"},
        {"pln", "plan"},
        {"t", "types tree"},
        {"tpyes", "types"},
        {"p", "plan prune"},
        {"frobnicate", ""},
        {"", ""},
        {"planplanplanplanplanplanplanplanplanplanplanplanplanplanplanplanplanplan",
         ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        _cleanup_strlist_ struct strlist found = {0};
        nearest_names(cases[i].word, names, sizeof names / sizeof *names, &found);
        _cleanup_free_ char *text = strlist_join(&found, " ");
        assert_string_equal(text, cases[i].expected);
    }
}

static void test_numbers_are_no_slips(void **state)
{
    (void)state;
    static const char *const names[] = {"nvidia-35", "nvidia-39", "GRID M10-2Q"};
    static const struct {
        const char *word, *expected;
    } cases[] = {
        {"nvidia-99", ""},
        {"nvidia-3", ""},
        {"nvidia-390", ""},
        {"nvidia-53", "nvidia-35"},
        {"nvida-35", "nvidia-35 nvidia-39"},
        {"nvidia35", "nvidia-35 nvidia-39"},
        {"nvidia-35", "nvidia-35"},
        {"GRID M10-8Q", ""},
        {"GRD M10-2Q", "GRID M10-2Q"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        _cleanup_strlist_ struct strlist found = {0};
        nearest_names(cases[i].word, names, sizeof names / sizeof *names, &found);
        _cleanup_free_ char *text = strlist_join(&found, " ");
        assert_string_equal(text, cases[i].expected);
    }
}

static void test_at_most_three(void **state)
{
    (void)state;
    static const char *const names[] = {"aa1", "aa2", "aa3", "aa4"};
    _cleanup_strlist_ struct strlist found = {0};
    nearest_names("aa", names, 4, &found);
    assert_int_equal(found.count, NEAREST_MOST);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_numbers_are_no_slips),
        cmocka_unit_test(test_at_most_three),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
