#include "lib/utf8.h"

#include <stdlib.h>
#include <string.h>

#include "lib/cleanup.h"
#include "tests/unit/test.h"

/* The borders of RFC 3629's table, and what lies just beyond them. */
static void test_valid_length(void **state)
{
    static const struct {
        const char *text;
        size_t length, valid;
    } cases[] = {
        {"", 0, 0},
        {"a\0b", 3, 3}, /* NUL is a character; who wants none looks for it */
        {"\x7f", 1, 1},
        {"\x80", 1, 0},
        {"\xbf", 1, 0},
        {"\xc1\xbf", 2, 0}, /* overlong */
        {"\xc2\x80", 2, 2},
        {"\xc2\xc0", 2, 0},
        {"\xdf\xbf", 2, 2},
        {"\xe0\x9f\xbf", 3, 0}, /* overlong */
        {"\xe0\xa0\x80", 3, 3},
        {"\xed\x9f\xbf", 3, 3},
        {"\xed\xa0\x80", 3, 0}, /* the first surrogate */
        {"\xed\xbf\xbf", 3, 0}, /* the last one */
        {"\xee\x80\x80", 3, 3},
        {"\xef\xbf\xbf", 3, 3},
        {"\xf0\x8f\xbf\xbf", 4, 0}, /* overlong */
        {"\xf0\x90\x80\x80", 4, 4},
        {"\xf4\x8f\xbf\xbf", 4, 4}, /* U+10FFFF */
        {"\xf4\x90\x80\x80", 4, 0},
        {"\xf5\x80\x80\x80", 4, 0},
        {"\xff", 1, 0},
        {"\xf0\x90\x80", 3, 0}, /* cut off */
        {"\xe2\x82\xac\xe2\x82", 5, 3},
        {"\xe2\x28\xac", 3, 0},
        {"\xe2\x82\x28", 3, 0},
        {"ab\xff-", 4, 2},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t valid = utf8_valid_length(cases[i].text, cases[i].length);
        if (valid != cases[i].valid)
            fail_msg("case %zu: %zu", i, valid);
    }
}

static void test_made_valid(void **state)
{
    static const struct {
        const char *text, *valid;
    } cases[] = {
        {"", ""},
        {"abc", "abc"},
        {"\xc3\xa9", "\xc3\xa9"},
        {"\xe9", "\xc3\xa9"},
        {"\xff\xfe", "\xc3\xbf\xc3\xbe"},
        {"a\xc3", "a\xc3\x83"}, /* cut in the middle */
        {"\xe2\x82\xac\xe2\x82", "\xe2\x82\xac\xc3\xa2\xc2\x82"}, /* so is the second */
        {"\xc0\x80", "\xc3\x80\xc2\x80"},                         /* an overlong NUL */
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        _cleanup_free_ char *valid = utf8_made_valid(cases[i].text);
        assert_string_equal(valid, cases[i].valid);
        assert_int_equal(utf8_valid_length(valid, strlen(valid)), strlen(valid));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_valid_length),
        cmocka_unit_test(test_made_valid),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
