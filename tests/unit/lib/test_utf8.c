/* lib/utf8: what is no UTF-8 becomes some. */
#include "lib/utf8.h"

#include <stdlib.h>
#include <string.h>

#include "lib/cleanup.h"
#include "tests/unit/test.h"

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
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_made_valid)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
