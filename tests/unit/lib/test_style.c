/* style: colours and bars on a terminal, plain text elsewhere. */
#include "lib/style.h"

#include <stdlib.h>

#include "tests/unit/test.h"

static const struct style on = {.on = true, .width = 100};

static void expect_bar(int64_t used, int64_t reserved, int64_t total,
                       const char *expected)
{
    char *bar = style_bar(&on, used, reserved, total);
    assert_string_equal(bar, expected);
    free(bar);
}

static void bars_show_used_and_reserved(void **state)
{
    (void)state;
    expect_bar(0, 0, 16, "[..........]");
    expect_bar(8, 0, 16, "[#####.....]");
    expect_bar(4, 4, 16, "[###==.....]");
    expect_bar(16, 0, 16, "[##########]");
    /* A card that is drained: the rest of it is not for anybody new. */
    expect_bar(4, 16, 16, "[###=======]");
}

static void what_is_there_shows_and_what_is_left_too(void **state)
{
    (void)state;
    expect_bar(1, 0, 1000, "[#.........]");
    expect_bar(999, 0, 1000, "[#########.]");
    /* More than there is: an inventory can shrink below what is allocated. */
    expect_bar(20, 0, 16, "[##########]");
    expect_bar(INT64_MAX, INT64_MAX, INT64_MAX, "[##########]");
}

static void no_bar_without_a_total(void **state)
{
    (void)state;
    expect_bar(0, 0, 0, "");
    const struct style plain = style_plain();
    char *bar = style_bar(&plain, 1, 0, 2);
    assert_string_equal(bar, "");
    free(bar);
}

static char *put(const struct style *style, enum tone tone, const char *text)
{
    char *out = NULL;
    size_t length;
    FILE *stream = open_memstream(&out, &length);
    style_put(style, tone, text, stream);
    fclose(stream);
    return out;
}

static void tones_are_for_terminals(void **state)
{
    (void)state;
    const struct style plain = style_plain();
    char *coloured = put(&on, TONE_GOOD, "well"), *none = put(&on, TONE_PLAIN, "well"),
         *piped = put(&plain, TONE_GOOD, "w\033ell");
    assert_string_equal(coloured, "\033[32mwell\033[0m");
    assert_string_equal(none, "well");
    assert_string_equal(piped, "w?ell");
    free(coloured);
    free(none);
    free(piped);
}

static void a_file_is_no_terminal(void **state)
{
    (void)state;
    FILE *file = tmpfile();
    setenv("TERM", "xterm", 1);
    assert_false(style_of(file).on);
    assert_int_equal(style_of(file).width, 80);
    assert_false(style_is_terminal(file));
    fclose(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bars_show_used_and_reserved),
        cmocka_unit_test(what_is_there_shows_and_what_is_left_too),
        cmocka_unit_test(no_bar_without_a_total),
        cmocka_unit_test(tones_are_for_terminals),
        cmocka_unit_test(a_file_is_no_terminal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
