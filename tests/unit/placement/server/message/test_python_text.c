#include "placement/server/message/python_text.h"

#include "tests/unit/test.h"

static void reads_numbers_as_python_does(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t number;
    } good[] = {{"7", 7},        {" +7\t", 7}, {"-7", -7},
                {"007", 7},      {"1_0", 10},  {"99999999999999999999", INT64_MAX},
                {"\n1_2_3", 123}};
    static const char *const bad[] = {"",     " ",   "-",   "+-1", "_1", "1_",
                                      "1__0", "1 0", "0x1", "1.0", "1e3"};
    int64_t number;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        if (!python_int(good[i].text, &number) || number != good[i].number)
            fail_msg("%s", good[i].text);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (python_int(bad[i], &number))
            fail_msg("taken: %s", bad[i]);
}

static void shows_strings_as_python_does(void **state)
{
    (void)state;
    static const struct {
        const char *text, *shown;
    } cases[] = {
        {"", "''"},
        {"CUSTOM_A", "'CUSTOM_A'"},
        {"it's", "\"it's\""},
        {"\"it's\"", "'\"it\\'s\"'"},
        {"a\\b\n\r\t", "'a\\\\b\\n\\r\\t'"},
        {"\x01\x7f", "'\\x01\\x7f'"},
        {"\xc3\xa9", "'\xc3\xa9'"},
        {"\xc2\x80\xc2\xa0\xc2\xad", "'\\x80\\xa0\\xad'"},
        {"\xc2\xa1", "'\xc2\xa1'"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        _cleanup_free_ char *shown = python_repr(cases[i].text);
        assert_string_equal(shown, cases[i].shown);
    }
}

static void cuts_between_characters(void **state)
{
    (void)state;
    _cleanup_free_ char *ascii = python_repr_cut("abcdef", 3);
    assert_string_equal(ascii, "'abc'");
    _cleanup_free_ char *inside = python_repr_cut("a\xe2\x82\xac-", 2);
    assert_string_equal(inside, "'a\xe2\x82\xac'");
    _cleanup_free_ char *longer = python_repr_cut("ab", 100);
    assert_string_equal(longer, "'ab'");
}

static void shows_lists_as_python_does(void **state)
{
    (void)state;
    _cleanup_strlist_ struct strlist list = {0};
    _cleanup_free_ char *none = python_repr_list(&list);
    assert_string_equal(none, "[]");
    strlist_add(&list, "a");
    strlist_add(&list, "b'c");
    _cleanup_free_ char *two = python_repr_list(&list);
    assert_string_equal(two, "['a', \"b'c\"]");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_numbers_as_python_does),
        cmocka_unit_test(shows_strings_as_python_does),
        cmocka_unit_test(cuts_between_characters),
        cmocka_unit_test(shows_lists_as_python_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
