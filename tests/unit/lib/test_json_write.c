#include "lib/json_write.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/json_read.h"
#include "tests/unit/test.h"

static void writes_what_reads_back(void **state)
{
    (void)state;
    struct json_writer w = {0};
    json_write_begin_object(&w);
    json_write_string_member(&w, "text", "a\"b\\c\n\x01/\xc3\xa9");
    json_write_key(&w, "numbers");
    json_write_begin_array(&w);
    json_write_int(&w, INT64_MIN);
    json_write_int(&w, 0);
    json_write_double(&w, 1.0);
    json_write_double(&w, 0.1);
    json_write_double(&w, 1e300);
    json_write_end_array(&w);
    json_write_bool_member(&w, "yes", true);
    json_write_string_member(&w, "none", NULL);
    json_write_end_object(&w);
    size_t length;
    char *text = json_writer_take(&w, &length);
    assert_string_equal(
        text, "{\"text\":\"a\\\"b\\\\c\\n\\u0001/"
              "\xc3\xa9\",\"numbers\":[-9223372036854775808,0,1.0,0.1,1e+300],"
              "\"yes\":true,\"none\":null}");
    assert_int_equal(length, strlen(text));
    free(text);
}

static void assert_written(struct json_writer *w, const char *expected)
{
    _cleanup_free_ char *text = json_writer_take(w, NULL);
    assert_string_equal(text, expected);
}

static void commas_stand_between_values_only(void **state)
{
    (void)state;
    struct json_writer w = {0};
    json_write_begin_array(&w);
    json_write_begin_object(&w);
    json_write_end_object(&w);
    json_write_begin_array(&w);
    json_write_end_array(&w);
    json_write_begin_object(&w);
    json_write_int_member(&w, "a", 1);
    json_write_key(&w, "b");
    json_write_begin_array(&w);
    json_write_null(&w);
    json_write_bool(&w, false);
    json_write_end_array(&w);
    json_write_end_object(&w);
    json_write_end_array(&w);
    assert_written(&w, "[{},[],{\"a\":1,\"b\":[null,false]}]");
    /* A writer that was taken from is a new one. */
    json_write_string(&w, "next");
    assert_written(&w, "\"next\"");
}

/* JSON is shown on terminals, too. */
static void no_control_character_is_sent(void **state)
{
    (void)state;
    struct json_writer w = {0};
    json_write_string(&w, "1234567\x7f \xc2\x9b\xc2\x80 \xc2\x9f\xc2\xa0\xc2");
    assert_written(&w, "\"1234567\\u007f \\u009b\\u0080 "
                       "\\u009f\xc2\xa0\xc2\"");
}

/* Each byte below 0x80 alone, at each place of the eight that are looked at together. */
static void every_character_reads_back(void **state)
{
    (void)state;
    for (int c = 1; c < 0x80; c++)
        for (size_t place = 0; place < 17; place++) {
            char text[18] = "aaaaaaaaaaaaaaaaa";
            text[place] = (char)c;
            struct json_writer w = {0};
            json_write_string(&w, text);
            size_t length;
            _cleanup_free_ char *written = json_writer_take(&w, &length);
            _cleanup_json_ struct json_object *value = NULL;
            struct error err;
            assert_ok(json_parse(written, length, &value, &err), &err);
            assert_string_equal(json_object_get_string(value), text);
            for (size_t i = 0; i < length; i++)
                assert_true((unsigned char)written[i] >= 0x20);
        }
}

static void numbers_are_the_shortest_that_read_back(void **state)
{
    (void)state;
    static const struct {
        double number;
        const char *text;
    } cases[] = {
        {0, "0.0"},
        {-0.0, "-0.0"},
        {16, "16.0"},
        {0.1, "0.1"},
        {1.0 / 3, "0.3333333333333333"},
        {1e21, "1e+21"},
        {5e-324, "5e-324"},
        {1.7976931348623157e308, "1.7976931348623157e+308"},
        {123456789012345680.0, "1.2345678901234568e+17"},
        {NAN, "null"},
        {INFINITY, "null"},
        {-INFINITY, "null"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct json_writer w = {0};
        json_write_double(&w, cases[i].number);
        assert_written(&w, cases[i].text);
    }
    struct json_writer w = {0};
    json_write_int(&w, INT64_MAX);
    assert_written(&w, "9223372036854775807");
}

static void lists_are_arrays_of_strings(void **state)
{
    (void)state;
    _cleanup_strlist_ struct strlist list = {0};
    struct json_writer w = {0};
    json_write_strings(&w, &list);
    assert_written(&w, "[]");
    strlist_add(&list, "CUSTOM_A");
    strlist_add(&list, "\"");
    json_write_strings(&w, &list);
    assert_written(&w, "[\"CUSTOM_A\",\"\\\"\"]");
}

static void a_number_that_is_not_known_is_null(void **state)
{
    (void)state;
    struct json_writer w = {0};
    json_write_begin_object(&w);
    json_write_known_int_member(&w, "known", true, 0);
    json_write_known_int_member(&w, "unknown", false, 7);
    json_write_end_object(&w);
    assert_written(&w, "{\"known\":0,\"unknown\":null}");
}

/* Whatever is written, no more than `max` bytes are kept, and it shows. */
static void a_bounded_writer_becomes_full(void **state)
{
    (void)state;
    for (size_t max = 1; max < 40; max++) {
        struct json_writer w = {.out.max = max};
        json_write_begin_object(&w);
        json_write_string_member(&w, "name", "a\nlonger text");
        json_write_int_member(&w, "number", -12345);
        json_write_end_object(&w);
        size_t length = w.out.length;
        bool full = w.out.full;
        _cleanup_free_ char *text = json_writer_take(&w, NULL);
        assert_true(length <= max);
        assert_int_equal(full, max < strlen("{\"name\":\"a\\nlonger text\","
                                            "\"number\":-12345}"));
        assert_int_equal(strlen(text), length);
    }
}

static void what_is_dropped_leaves_an_empty_writer(void **state)
{
    (void)state;
    struct json_writer w = {0};
    json_write_begin_array(&w);
    json_write_int(&w, 1);
    json_writer_clear(&w);
    json_write_int(&w, 2);
    assert_written(&w, "2");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_what_reads_back),
        cmocka_unit_test(commas_stand_between_values_only),
        cmocka_unit_test(no_control_character_is_sent),
        cmocka_unit_test(every_character_reads_back),
        cmocka_unit_test(numbers_are_the_shortest_that_read_back),
        cmocka_unit_test(lists_are_arrays_of_strings),
        cmocka_unit_test(a_number_that_is_not_known_is_null),
        cmocka_unit_test(a_bounded_writer_becomes_full),
        cmocka_unit_test(what_is_dropped_leaves_an_empty_writer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
