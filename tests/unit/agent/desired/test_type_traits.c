#include "tests/unit/test.h"

#include <stdlib.h>
#include <string.h>

#include "agent/desired/type_traits.h"

static void normalises_as_os_traits_does(void **state)
{
    (void)state;
    static const struct {
        const char *text, *trait;
    } cases[] = {
        {"nvidia-35", "CUSTOM_NVIDIA_35"},
        {"GRID V100DX-1Q", "CUSTOM_GRID_V100DX_1Q"},
        {"NVIDIA RTX Pro 6000 Blackwell DC-48C",
         "CUSTOM_NVIDIA_RTX_PRO_6000_BLACKWELL_DC_48C"},
        {"i915-GVTg_V5_4", "CUSTOM_I915_GVTG_V5_4"},
        {"mtty-2", "CUSTOM_MTTY_2"},
        {"a -- b", "CUSTOM_A_B"},
        {"a__b", "CUSTOM_A_B"},
        {"-a-", "CUSTOM__A_"},
        {"", "CUSTOM_"},
        {"---", "CUSTOM__"},
        {"stra\xc3\x9f"
         "e",
         "CUSTOM_STRA_E"},
        {"A100-1-5CME", "CUSTOM_A100_1_5CME"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        _cleanup_free_ char *trait = trait_custom(cases[i].text);
        assert_string_equal(trait, cases[i].trait);
    }
}

static void long_names_are_cut_and_stay_apart(void **state)
{
    (void)state;
    char longest[249] = {0}, text[400] = {0};
    memset(longest, 'x', 248);
    _cleanup_free_ char *fits = trait_custom(longest);
    assert_int_equal(strlen(fits), 255);
    assert_string_equal(fits + 253, "XX");

    memset(text, 'x', 300);
    _cleanup_free_ char *one = trait_custom(text);
    _cleanup_free_ char *again = trait_custom(text);
    text[299] = 'y';
    _cleanup_free_ char *other = trait_custom(text);
    assert_int_equal(strlen(one), 255);
    assert_int_equal(strlen(other), 255);
    assert_string_equal(one, again);
    assert_string_not_equal(one, other);
    assert_int_equal(strspn(one, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"), 255);
    assert_memory_equal(one, other, 247);
}

/* The attributes of a type, and the traits that follow from them. */
static void attributes_earn_standard_traits(void **state)
{
    (void)state;
    static const struct {
        struct type_attributes attributes;
        const char *traits;
    } cases[] = {
        {{0}, ""},
        {{.num_heads = 4}, "HW_GPU_MAX_DISPLAY_HEADS_4"},
        {{.num_heads = 3}, ""},
        {{.num_heads = 16}, ""},
        {{.num_heads = 1, .max_width = 1024, .max_height = 768},
         "HW_GPU_MAX_DISPLAY_HEADS_1,HW_GPU_RESOLUTION_W320H240,"
         "HW_GPU_RESOLUTION_W640H480,HW_GPU_RESOLUTION_W800H600,"
         "HW_GPU_RESOLUTION_W1024H600,HW_GPU_RESOLUTION_W1024H768"},
        /* A resolution must fit in both directions. */
        {{.max_width = 8000, .max_height = 300}, "HW_GPU_RESOLUTION_W320H240"},
        {{.max_width = 700, .max_height = 8000},
         "HW_GPU_RESOLUTION_W320H240,HW_GPU_RESOLUTION_W640H480"},
        {{.max_width = 319, .max_height = 240}, ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        _cleanup_strlist_ struct strlist traits = {0};
        traits_add_standard(&traits, &cases[i].attributes);
        _cleanup_free_ char *joined = strlist_join(&traits, ",");
        assert_string_equal(joined, cases[i].traits);
    }
}

static void the_largest_type_earns_all_resolutions(void **state)
{
    (void)state;
    _cleanup_strlist_ struct strlist traits = {0};
    struct type_attributes a = {.num_heads = 8, .max_width = 7680, .max_height = 4320};
    traits_add_standard(&traits, &a);
    assert_int_equal(traits.count, 23);
    assert_true(strlist_contains(&traits, "HW_GPU_RESOLUTION_W7680H4320"));
    assert_true(strlist_contains(&traits, "HW_GPU_RESOLUTION_W1366H768"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(normalises_as_os_traits_does),
        cmocka_unit_test(long_names_are_cut_and_stay_apart),
        cmocka_unit_test(attributes_earn_standard_traits),
        cmocka_unit_test(the_largest_type_earns_all_resolutions),
    };
    return cmocka_run_group_tests_name("traits", tests, NULL, NULL);
}
