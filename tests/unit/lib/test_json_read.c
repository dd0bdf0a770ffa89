#include "lib/json_read.h"

#include <stdlib.h>
#include <string.h>

#include "lib/xalloc.h"
#include "tests/unit/test.h"

static void parses_one_document_only(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int rc;
    } cases[] = {
        {"{}", 0},
        {"{\"a\": 1}", 0},
        {" 12 ", 0},
        {"12", 0},
        {"", -1},
        {"{", -1},
        {"{} {}", -1},
        {"{'a': 1}", -1},
        {"{\"a\": 1,}", -1},
        {"[NaN]", -1},
        {"\"\xff\"", -1},
        {"[1] x", -1},
        {"null", 0},
        {"\"\xc3\xa9\"", 0},
        /* json-c alone would take these. */
        {"\"\xc0\x80\"", -1},
        {"\"\xed\xa0\x80\"", -1},
        {"\"\xf5\x80\x80\x80\"", -1},
        {"\"\xe2\x82\"", -1},
        {"\"a\nb\"", -1},
        {"\"a\tb\"", -1},
        {"\"\x01\"", -1},
        {"[1.]", -1},
        {"1.", -1},
        {"1.0", 0},
        {"\"1.\"", 0},
        {"\"\\u00e9\\n\"", 0},
        {"\"\\ud83d\\ude00\"", 0},
        {"\"\\\\ud83d\"", 0},
        {"\"\\uD83D\"", -1},
        {"\"\\ud83dx\"", -1},
        {"\"\\ude00\"", -1},
        {"\"\\ud83d\\ud83d\\ude00\"", -1},
        {"\"\\ude00\\ud83d\"", -1},
        {"{\"\\ud83d\": 1}", -1},
        {"\"\\ud83", -1},
        {"\"\\ud83d\\ude0", -1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct json_object *doc = NULL;
        struct error err = {0};
        int rc = json_parse(cases[i].text, strlen(cases[i].text), &doc, &err);
        if (rc != cases[i].rc)
            fail_msg("%s: %d %s", cases[i].text, rc, err.text);
        json_object_put(doc);
    }
}

/* `count` times the same, in an array. */
static char *array_of(const char *item, size_t count)
{
    size_t length = strlen(item);
    char *text = xcalloc(count * (length + 1) + 2, 1), *end = stpcpy(text, "[");
    for (size_t i = 0; i < count; i++)
        end = stpcpy(stpcpy(end, i ? "," : ""), item);
    stpcpy(end, "]");
    return text;
}

static void bounds_what_it_takes(void **state)
{
    (void)state;
    static const struct {
        const char *item;
        size_t count;
        const char *error;
    } cases[] = {
        {"{}", JSON_MAX_OBJECTS, NULL},
        {"{}", JSON_MAX_OBJECTS + 1, "a JSON document of 100001 objects, "},
        {"1", JSON_MAX_VALUES, NULL},
        {"1", JSON_MAX_VALUES + 1, " and 1000001 values: more than is read"},
        {"\"{,[{,[\"", JSON_MAX_OBJECTS, NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        _cleanup_free_ char *text = array_of(cases[i].item, cases[i].count);
        _cleanup_json_ struct json_object *json = NULL;
        struct error err = {0};
        int rc = json_parse(text, strlen(text), &json, &err);
        assert_int_equal(rc, cases[i].error ? -1 : 0);
        if (cases[i].error)
            assert_non_null(strstr(err.text, cases[i].error));
        else
            assert_int_equal(json_object_array_length(json), cases[i].count);
    }
    static const struct json_bounds narrow = {.objects = 2, .values = 5, .members = 3};
    struct json_object *json = NULL;
    struct error err = {0};
    assert_ok(json_parse_within("[{},{}]", 7, &narrow, &json, &err), &err);
    json_object_put(json);
    assert_int_equal(json_parse_within("[{},{},{}]", 10, &narrow, &json, &err), -1);
    assert_non_null(strstr(err.text, "more than is read (2, 3 and 5)"));
    static const char members[] = "[{\"a\":1,\"b:\":2},{\":\":3}]";
    assert_ok(json_parse_within(members, strlen(members), &narrow, &json, &err), &err);
    json_object_put(json);
    static const char more[] = "{\"a\":{\"b\":1,\"c\":2,\"d\":3}}";
    assert_int_equal(json_parse_within(more, strlen(more), &narrow, &json, &err), -1);
    assert_non_null(strstr(err.text, "2 objects, 4 members and"));
}

static void getters_check_types(void **state)
{
    (void)state;
    static const char text[] = "{\"s\": \"12\", \"d\": 1.9, \"i\": 7, \"n\": null, "
                               "\"big\": 99999999999999999999}";
    _cleanup_json_ struct json_object *doc = NULL;
    struct error err = {0};
    assert_ok(json_parse(text, strlen(text), &doc, &err), &err);
    int64_t number = 5;
    double real = 0;
    assert_int_equal(json_get_int64(doc, "s", &number, &err), -1);
    assert_string_equal(err.text, "s: expected an integer, got a string");
    assert_int_equal(json_get_int64(doc, "d", &number, &err), -1);
    assert_int_equal(json_get_int64(doc, "n", &number, &err), -1);
    assert_int_equal(json_get_int64(doc, "big", &number, &err), -1);
    assert_int_equal(number, 5);
    assert_ok(json_get_int64(doc, "i", &number, &err), &err);
    assert_int_equal(number, 7);
    assert_ok(json_get_double(doc, "d", &real, &err), &err);
    assert_ok(json_get_double(doc, "i", &real, &err), &err);
    const char *string = "x";
    assert_ok(json_get_string_or_null(doc, "n", &string, &err), &err);
    assert_null(string);
}

static void uuids_are_in_lower_case(void **state)
{
    (void)state;
    static const char text[] = "{\"good\": \"AAAAAAAA-0000-4000-8000-000000000001\", "
                               "\"bad\": \"aaaaaaaa\", \"number\": 5}";
    _cleanup_json_ struct json_object *doc = NULL;
    struct error err = {0};
    char uuid[UUID_TEXT_SIZE] = "untouched";
    assert_ok(json_parse(text, strlen(text), &doc, &err), &err);
    assert_int_equal(json_get_uuid(doc, "bad", uuid, &err), -1);
    assert_string_equal(err.text, "bad: 'aaaaaaaa' is no uuid");
    assert_int_equal(json_get_uuid(doc, "number", uuid, &err), -1);
    assert_string_equal(uuid, "untouched");
    assert_ok(json_get_uuid(doc, "good", uuid, &err), &err);
    assert_string_equal(uuid, "aaaaaaaa-0000-4000-8000-000000000001");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parses_one_document_only),
        cmocka_unit_test(bounds_what_it_takes),
        cmocka_unit_test(getters_check_types),
        cmocka_unit_test(uuids_are_in_lower_case),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
