#include "tests/unit/test.h"

#include <stdlib.h>
#include <string.h>

#include "lib/cleanup.h"
#include "placement/server/message/python_text.h"
#include "placement/server/message/query.h"

static void parses_names_and_values(void **state)
{
    (void)state;
    struct query query;
    struct error err;
    assert_ok(query_parse("a=1&b=%20x+y&a=&&c&d=%C3%A4%3D;e=5", &query, &err), &err);
    assert_int_equal(query.count, 6);
    assert_string_equal(query_last(&query, "a"), "");
    assert_int_equal(query_count(&query, "a"), 2);
    assert_string_equal(query_last(&query, "b"), " x y");
    assert_string_equal(query_last(&query, "c"), "");
    assert_string_equal(query_last(&query, "d"), "\xc3\xa4=");
    assert_string_equal(query_last(&query, "e"), "5");
    assert_null(query_last(&query, "f"));
    query_clear(&query);
    assert_ok(query_parse(NULL, &query, &err), &err);
    assert_int_equal(query.count, 0);
    query_clear(&query);
}

static void refuses_what_is_no_text(void **state)
{
    (void)state;
    static const char *const bad[] = {"a=%ff",       "a=%C3",          "%80=1",
                                      "a=%ed%a0%80", "a=%f4%90%80%80", "a=%c0%80",
                                      "a=%00",       "a=b%00c",        "a=%e0%80%80"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct query query;
        struct error err;
        if (query_parse(bad[i], &query, &err) == 0)
            fail_msg("taken: %s", bad[i]);
        assert_int_equal(err.code, ERROR_INVALID);
    }
}

static void bounds_the_number_of_parameters(void **state)
{
    (void)state;
    size_t length = 2 * (QUERY_MAX_ITEMS + 1);
    char *text = malloc(length + 1);
    for (size_t i = 0; i < length; i += 2)
        memcpy(text + i, "a&", 2);
    text[length] = 0;
    struct query query;
    struct error err;
    assert_int_equal(query_parse(text, &query, &err), -1);
    text[length - 2] = 0;
    assert_ok(query_parse(text, &query, &err), &err);
    assert_int_equal(query.count, QUERY_MAX_ITEMS);
    query_clear(&query);
    free(text);
}

static void takes_uuids_in_all_forms(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool good;
    } cases[] = {
        {"6f0c1f52-62c4-4d0c-9a5e-1f2b7a3c9d10", true},
        {"6F0C1F52-62C4-4D0C-9A5E-1F2B7A3C9D10", true},
        {"6f0c1f5262c44d0c9a5e1f2b7a3c9d10", true},
        {"{6f0c1f52-62c4-4d0c-9a5e-1f2b7a3c9d10}", true},
        {"urn:uuid:6f0c1f52-62c4-4d0c-9a5e-1f2b7a3c9d10", true},
        {"6f0c1f52-62c4-4d0c-9a5e-1f2b7a3c9d1", false},
        {"6f0c1f52-62c4-4d0c-9a5e-1f2b7a3c9d100", false},
        {"6f0c1f52-62c4-4d0c-9a5e-1f2b7a3c9d1g", false},
        {"", false},
        {"------------------------------------", false},
        {"6f0c1f5262c44d0c9a5e1f2b7a3c9d106f0c1f5262c44d0c9a5e1f2b7a3c9d106f0c1f52",
         false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char uuid[UUID_TEXT_SIZE] = "";
        if (uuid_like(cases[i].text, uuid) != cases[i].good)
            fail_msg("'%s'", cases[i].text);
        if (cases[i].good)
            assert_string_equal(uuid, "6f0c1f52-62c4-4d0c-9a5e-1f2b7a3c9d10");
    }
}

static void takes_the_bytes_of_a_path_for_latin_1(void **state)
{
    (void)state;
    static const struct {
        const char *path, *decoded; /* NULL: refused */
    } cases[] = {
        {"/traits/CUSTOM_%41+", "/traits/CUSTOM_A+"},
        {"/%c3%A9", "/\xc3\x83\xc2\xa9"},
        {"/\xc3\xa9", "/\xc3\x83\xc2\xa9"},
        {"/%ff", "/\xc3\xbf"},
        {"/%4", "/%4"},
        {"/%zz%", "/%zz%"},
        {"/a%00b", NULL},
        {"", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        _cleanup_free_ char *decoded = path_decode(cases[i].path);
        if (!decoded != !cases[i].decoded ||
            (decoded && strcmp(decoded, cases[i].decoded) != 0))
            fail_msg("%s: %s", cases[i].path, decoded ? decoded : "refused");
    }
}

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parses_names_and_values),
        cmocka_unit_test(refuses_what_is_no_text),
        cmocka_unit_test(bounds_the_number_of_parameters),
        cmocka_unit_test(takes_the_bytes_of_a_path_for_latin_1),
        cmocka_unit_test(reads_numbers_as_python_does),
        cmocka_unit_test(takes_uuids_in_all_forms),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
