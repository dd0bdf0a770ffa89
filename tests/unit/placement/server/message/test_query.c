#include "tests/unit/test.h"

#include <stdlib.h>
#include <string.h>

#include "lib/cleanup.h"
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
        _cleanup_free_ char *decoded = query_decode_path(cases[i].path);
        if (!decoded != !cases[i].decoded ||
            (decoded && strcmp(decoded, cases[i].decoded) != 0))
            fail_msg("%s: %s", cases[i].path, decoded ? decoded : "refused");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parses_names_and_values),
        cmocka_unit_test(refuses_what_is_no_text),
        cmocka_unit_test(bounds_the_number_of_parameters),
        cmocka_unit_test(takes_the_bytes_of_a_path_for_latin_1),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
