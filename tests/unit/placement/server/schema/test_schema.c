#include "tests/unit/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/xalloc.h"
#include "placement/server/handlers/allocation_plan.h"
#include "placement/server/schema/allocation_body.h"
#include "placement/server/schema/inventory_body.h"
#include "placement/server/schema/schema.h"

static void refuse(const struct schema *schema, const char *body, const char *words)
{
    struct request request = {.body = body, .body_length = strlen(body)};
    struct json_object *out = NULL;
    struct reply reply = {0};
    int rc = schema_read_body(schema, &request, &out, &reply);
    if (words && (rc == 0 || !strstr(reply.detail, words)))
        fail_msg("%s: expected '%s', got '%s'", body, words,
                 rc == 0 ? "success" : reply.detail);
    if (!words && rc != 0)
        fail_msg("%s: %s", body, reply.detail);
    if (rc == 0)
        json_object_put(out);
    reply_clear(&reply);
}

static void says_what_jsonschema_says(void **state)
{
    (void)state;
    static const struct {
        const char *body, *words;
    } cases[] = {
        {"{\"total\":1,\"resource_provider_generation\":1}", NULL},
        {"{\"total\":1.0,\"resource_provider_generation\":1}", NULL},
        {"{", "Malformed JSON: "},
        {"", "Malformed JSON: "},
        {"[1, \"a\", {\"b\": true, \"c\": null, \"d\": 1.5}]",
         "[1, 'a', {'b': True, 'c': None, 'd': 1.5}] is not of type 'object'"},
        {"{\"total\":1}",
         "'resource_provider_generation' is a required property  Failed "
         "validating 'required' in schema  On instance:"},
        {"{\"resource_provider_generation\":1}", "'total' is a required property"},
        {"{\"total\":1,\"resource_provider_generation\":1,\"b\":1,\"a\":2}",
         "Additional properties are not allowed ('a', 'b' were unexpected)"},
        {"{\"total\":1,\"resource_provider_generation\":1,\"a\":2}",
         "Additional properties are not allowed ('a' was unexpected)"},
        {"{\"total\":0,\"resource_provider_generation\":1}",
         "0 is less than the minimum of 1  Failed validating 'minimum' in "
         "schema['properties']['total']  On instance['total']:     0"},
        {"{\"total\":2147483648,\"resource_provider_generation\":1}",
         "2147483648 is greater than the maximum of 2147483647"},
        {"{\"total\":99999999999999999999,\"resource_provider_generation\":1}",
         "is greater than the maximum of 2147483647"},
        {"{\"total\":1.5,\"resource_provider_generation\":1}",
         "1.5 is not of type 'integer'"},
        {"{\"total\":true,\"resource_provider_generation\":1}",
         "True is not of type 'integer'"},
        {"{\"total\":\"1\",\"resource_provider_generation\":1}",
         "'1' is not of type 'integer'"},
        /* The fault that is least deep is told. */
        {"{\"total\":0}", "'resource_provider_generation' is a required property"},
        /* Of equally deep ones a wrong type, else the first in the schema. */
        {"{\"resource_provider_generation\":1,\"reserved\":-1,\"total\":0}",
         "0 is less than the minimum of 1"},
        {"{\"resource_provider_generation\":1,\"total\":0,\"reserved\":[]}",
         "[] is not of type 'integer'"},
        {"{\"resource_provider_generation\":1,\"reserved\":{},\"total\":[]}",
         "[] is not of type 'integer'"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        refuse(&inventory_schema, cases[i].body, cases[i].words);
}

#define RP "6f0c1f52-62c4-4d0c-9a5e-1f2b7a3c9d10"

static void knows_the_forms_of_allocations(void **state)
{
    (void)state;
    static const char list[] =
        "{\"allocations\":[{\"resource_provider\":{\"uuid\":\"" RP
        "\"},\"resources\":{\"VCPU\":1}}]}";
    static const char object[] =
        "{\"allocations\":{\"" RP "\":{\"resources\":{\"VCPU\":1}}},"
        "\"project_id\":\"p\",\"user_id\":\"u\"}";
    refuse(allocation_put_schema(0), list, NULL);
    refuse(allocation_put_schema(7), list, NULL);
    refuse(allocation_put_schema(8), list, "'project_id' is a required property");
    refuse(allocation_put_schema(12), list, "'project_id' is a required property");
    refuse(allocation_put_schema(11), object, "is not of type 'array'");
    refuse(allocation_put_schema(12), object, NULL);
    refuse(allocation_put_schema(27), object, NULL);
    refuse(allocation_put_schema(28), object,
           "'consumer_generation' is a required property");
    refuse(allocation_put_schema(12),
           "{\"allocations\":{},\"project_id\":\"p\",\"user_id\":\"u\"}",
           "{} does not have enough properties");
    refuse(allocation_put_schema(28),
           "{\"allocations\":{},\"project_id\":\"p\",\"user_id\":\"u\","
           "\"consumer_generation\":null}",
           NULL);
    refuse(allocation_put_schema(38),
           "{\"allocations\":{},\"project_id\":\"p\",\"user_id\":\"u\","
           "\"consumer_generation\":null}",
           "'consumer_type' is a required property");
    refuse(allocation_put_schema(38),
           "{\"allocations\":{},\"project_id\":\"p\",\"user_id\":\"u\","
           "\"consumer_generation\":null,\"consumer_type\":\"instance\"}",
           "'instance' does not match '^[A-Z0-9_]+$'");
    refuse(allocation_put_schema(12),
           "{\"allocations\":{\"x\":{\"resources\":{\"VCPU\":1}}},\"project_id\":\"p\","
           "\"user_id\":\"u\"}",
           "'x' does not match any of the regexes: '^[0-9a-fA-F-]{36}$'");
    refuse(allocation_put_schema(12),
           "{\"allocations\":{\"" RP "\":{\"resources\":{\"VCPU\":0}}},"
           "\"project_id\":\"p\",\"user_id\":\"u\"}",
           "0 is less than the minimum of 1  Failed validating 'minimum' in "
           "schema['properties']['allocations']['patternProperties']["
           "'^[0-9a-fA-F-]{36}$']['properties']['resources']['patternProperties']["
           "'^[A-Z0-9_]+$']");
    refuse(allocation_put_schema(34),
           "{\"allocations\":{},\"project_id\":\"p\",\"user_id\":\"u\","
           "\"consumer_generation\":null,\"mappings\":{\"\":[1],\"a\":[\"x\"]}}",
           "'x' is not a 'uuid'");
}

static void counts_characters(void **state)
{
    (void)state;
    static const struct schema schema = {
        .type = SCHEMA_STRING, .min_length = 2, .max_length = 3};
    refuse(&schema, "\"\xc3\xa4\xc3\xb6\xc3\xbc\"", NULL);
    refuse(&schema, "\"\xc3\xa4\"", "is too short");
    refuse(&schema, "\"abcd\"", "'abcd' is too long  Failed validating 'maxLength'");
    refuse(&schema, "\"it's\"", "\"it's\" is too long");
    refuse(&schema, "\"a\\u0000b\"", "NUL");
}

static void finds_repeated_items(void **state)
{
    (void)state;
    static const struct schema text = {.type = SCHEMA_STRING};
    static const struct schema schema = {
        .type = SCHEMA_ARRAY, .items = &text, .unique = true, .min_items = 1};
    refuse(&schema, "[\"a\",\"b\"]", NULL);
    refuse(&schema, "[\"a\",\"b\",\"a\"]", "has non-unique elements");
    refuse(&schema, "[]", "[] is too short");
    refuse(&schema, "[\"a\",1]",
           "1 is not of type 'string'  Failed validating 'type' in schema['items']  On "
           "instance[1]:");
}

/* What is beyond the cut costs nothing: this would be 200 MB each time. */
static void shows_no_more_than_it_tells(void **state)
{
    (void)state;
    enum { LENGTH = 1 << 20, TIMES = 50 };
    _cleanup_free_ char *control = xcalloc(LENGTH + 1, 1);
    memset(control, 1, LENGTH);
    _cleanup_json_ struct json_object *array = json_object_new_array();
    _cleanup_json_ struct json_object *object = json_object_new_object();
    struct json_object *text = json_object_new_string(control);
    for (int i = 0; i < TIMES; i++) {
        char name[20];
        snprintf(name, sizeof name, "%d", i);
        json_object_array_add(array, json_object_get(text));
        json_object_object_add(object, name, json_object_get(text));
    }
    clock_t begun = clock();
    _cleanup_free_ char *shown_text = schema_show(text);
    _cleanup_free_ char *shown_array = schema_show(array);
    _cleanup_free_ char *shown_object = schema_show(object);
    assert_true(clock() - begun < CLOCKS_PER_SEC / 10);
    json_object_put(text);
    assert_int_equal(strlen(shown_text), 1200);
    assert_int_equal(strlen(shown_array), 1200);
    assert_int_equal(strlen(shown_object), 1200);
    assert_memory_equal(shown_text, "'\\x01\\x01", 9);
    assert_memory_equal(shown_array, "['\\x01\\x01", 10);
    assert_memory_equal(shown_object, "{'0': '\\x01\\x01", 15);
}

/* Which quotes there are is told by the whole text, and a character is not cut. */
static void cuts_long_texts(void **state)
{
    (void)state;
    char text[2002] = "";
    for (int i = 0; i < 1000; i++)
        memcpy(text + 2 * i, "\xc3\xa4", 2);
    text[2000] = '\'';
    _cleanup_json_ struct json_object *value = json_object_new_string(text);
    _cleanup_free_ char *shown = schema_show(value);
    assert_int_equal(shown[0], '"');
    assert_int_equal(strlen(shown), 1199);
    assert_memory_equal(shown + 1, text, 1198);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(says_what_jsonschema_says),
        cmocka_unit_test(knows_the_forms_of_allocations),
        cmocka_unit_test(counts_characters),
        cmocka_unit_test(finds_repeated_items),
        cmocka_unit_test(shows_no_more_than_it_tells),
        cmocka_unit_test(cuts_long_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
