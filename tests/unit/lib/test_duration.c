#include "lib/duration.h"

#include "lib/cleanup.h"
#include "tests/unit/test.h"

static void in_the_largest_unit_that_there_are_two_of(void **state)
{
    (void)state;
    static const struct {
        int64_t seconds;
        const char *text;
    } cases[] = {
        {0, "0 s"},         {1, "1 s"},
        {119, "119 s"},     {120, "2 minutes"},
        {179, "2 minutes"}, {7199, "119 minutes"},
        {7200, "2 hours"},  {172799, "47 hours"},
        {172802, "2 days"}, {86400 * 400, "400 days"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        _cleanup_free_ char *text = duration_text(cases[i].seconds);
        assert_string_equal(text, cases[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(in_the_largest_unit_that_there_are_two_of),
    };
    return cmocka_run_group_tests_name("duration", tests, NULL, NULL);
}
