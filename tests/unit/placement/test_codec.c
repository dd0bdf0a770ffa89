#include "tests/unit/test.h"

#include <stdlib.h>
#include <string.h>

#include "placement/codec.h"

#define ROOT "aaaaaaaa-0000-4000-8000-000000000001"
#define CHILD "AAAAAAAA-0000-4000-8000-000000000002"
#define GENERATION ", \"resource_provider_generation\": 7}"
#define INVENTORY                                                          \
    "{\"total\": 16, \"reserved\": 0, \"min_unit\": 1, \"max_unit\": 16, " \
    "\"step_size\": 1, \"allocation_ratio\": 1.0}"

static struct json_object *parse(const char *text)
{
    struct json_object *json = NULL;
    struct error err = {0};
    assert_ok(json_parse(text, strlen(text), &json, &err), &err);
    return json;
}

static void reads_providers(void **state)
{
    (void)state;
    _cleanup_json_ struct json_object *json = parse(
        "{\"resource_providers\": ["
        "{\"uuid\": \"" ROOT "\", \"name\": \"h\", \"generation\": 5, \"links\": [],"
        " \"root_provider_uuid\": \"" ROOT "\", \"parent_provider_uuid\": null},"
        "{\"uuid\": \"" CHILD "\", \"name\": \"h_pci\", \"generation\": 0,"
        " \"root_provider_uuid\": \"" ROOT "\", \"parent_provider_uuid\": \"" ROOT
        "\"}]}");
    struct provider *items;
    size_t count;
    struct error err = {0};
    assert_ok(codec_read_providers(json, &items, &count, &err), &err);
    assert_int_equal(count, 2);
    assert_string_equal(items[0].parent, "");
    assert_int_equal(items[0].generation, 5);
    assert_string_equal(items[1].uuid, "aaaaaaaa-0000-4000-8000-000000000002");
    assert_string_equal(items[1].parent, ROOT);
    assert_string_equal(items[1].name, "h_pci");
    providers_free(items, count);
}

static void inventories_come_back_as_written(void **state)
{
    (void)state;
    const struct class_inventory items[] = {
        {(char *)"CUSTOM_X", {2147483647, 3, 2, 5, 4, 1.5}},
        /* Placement takes any ratio up to the largest float. */
        {(char *)"CUSTOM_Y", {1, 0, 1, 1, 1, -3.40282e+38}},
        {(char *)"CUSTOM_Z", {1, 0, 1, 1, 1, 0}},
        {(char *)"VGPU", {16, 0, 1, 16, 1, 1.0}},
    };
    struct json_writer w = {0};
    codec_write_inventories(&w, items, 4, 7);
    _cleanup_free_ char *text = json_writer_take(&w, NULL);
    _cleanup_json_ struct json_object *json = parse(text);
    struct class_inventory *read = NULL;
    size_t count = 0;
    int64_t generation = 0;
    struct error err = {0};
    assert_ok(codec_read_inventories(json, &read, &count, &generation, &err), &err);
    assert_int_equal(count, 4);
    assert_int_equal(generation, 7);
    for (size_t i = 0; i < count; i++) {
        assert_string_equal(read[i].resource_class, items[i].resource_class);
        assert_memory_equal(&read[i].inventory, &items[i].inventory,
                            sizeof items[i].inventory);
    }
    class_inventories_free(read, count);
}

static void traits_come_back_sorted(void **state)
{
    (void)state;
    char *names[] = {(char *)"HW_B", (char *)"CUSTOM_A"};
    const struct strlist traits = {names, 2};
    int64_t generation = 3;
    struct json_writer w = {0};
    codec_write_traits(&w, &traits, &generation);
    _cleanup_free_ char *text = json_writer_take(&w, NULL);
    assert_string_equal(
        text,
        "{\"traits\":[\"HW_B\",\"CUSTOM_A\"],\"resource_provider_generation\":3}");
    _cleanup_json_ struct json_object *json = parse(text);
    _cleanup_strlist_ struct strlist read = {0};
    struct error err = {0};
    generation = 0;
    assert_ok(codec_read_traits(json, &read, &generation, &err), &err);
    assert_int_equal(generation, 3);
    assert_int_equal(read.count, 2);
    assert_string_equal(read.items[0], "CUSTOM_A");
}

static void reads_allocations_and_usages(void **state)
{
    (void)state;
    _cleanup_json_ struct json_object *json =
        parse("{\"allocations\": {\"" CHILD "\": {\"resources\": {\"VGPU\": 2,"
              " \"CUSTOM_X\": 1}}, \"" ROOT "\": {\"resources\": {\"VGPU\": 1}}},"
              " \"usages\": {\"VGPU\": 3, \"CUSTOM_X\": 0}" GENERATION);
    struct provider_allocation *items;
    struct class_usage *usages;
    size_t count;
    int64_t generation;
    struct error err = {0};
    assert_ok(codec_read_provider_allocations(json, &items, &count, &generation, &err),
              &err);
    assert_int_equal(count, 3);
    assert_string_equal(items[0].consumer, ROOT);
    assert_string_equal(items[1].resource_class, "CUSTOM_X");
    assert_int_equal(items[2].amount, 2);
    assert_int_equal(generation, 7);
    provider_allocations_free(items, count);
    assert_ok(codec_read_usages(json, &usages, &count, &err), &err);
    assert_int_equal(count, 2);
    assert_string_equal(usages[0].resource_class, "CUSTOM_X");
    assert_int_equal(usages[1].used, 3);
    class_usages_free(usages, count);
    _cleanup_consumer_allocations_ struct consumer_allocations have = {0};
    assert_ok(codec_read_consumer_allocations(json, &have, &err), &err);
    assert_int_equal(have.count, 3);
    assert_string_equal(have.items[0].provider, ROOT);
    assert_string_equal(have.items[1].resource_class, "CUSTOM_X");
    assert_int_equal(have.items[2].amount, 2);
    _cleanup_json_ struct json_object *strange =
        parse("{\"allocations\": {\"x\": {}}}");
    assert_int_equal(codec_read_consumer_allocations(strange, &have, &err), -1);
    assert_string_equal(err.text, "allocations.x: 'x' is no uuid");
    assert_int_equal(have.count, 3);
}

/* Each reader, for a table of what must not pass. All leave their outputs alone. */
enum reader { PROVIDERS, INVENTORIES, TRAITS, ALLOCATIONS, USAGES };

static int read_with(enum reader reader, struct json_object *json, struct error *err)
{
    struct provider *providers = NULL;
    struct class_inventory *inventories = NULL;
    struct provider_allocation *allocations = NULL;
    struct class_usage *usages = NULL;
    struct strlist traits = {0};
    size_t count = 99;
    int64_t generation = 99;
    int rc = -2;
    switch (reader) {
    case PROVIDERS:
        rc = codec_read_providers(json, &providers, &count, err);
        break;
    case INVENTORIES:
        rc = codec_read_inventories(json, &inventories, &count, &generation, err);
        break;
    case TRAITS:
        rc = codec_read_traits(json, &traits, &generation, err);
        break;
    case ALLOCATIONS:
        rc = codec_read_provider_allocations(json, &allocations, &count, &generation,
                                             err);
        break;
    case USAGES:
        rc = codec_read_usages(json, &usages, &count, err);
        break;
    }
    if (rc == 0 || count != 99 || traits.count || providers || inventories ||
        allocations || usages)
        fail_msg("read what is wrong, or left something behind");
    return rc;
}

#define PROVIDER(rest) "{\"resource_providers\": [{" rest "}]}"
#define HEAD "\"uuid\": \"" ROOT "\", \"name\": \"h\", "
#define TAIL "\"root_provider_uuid\": \"" ROOT "\""

static void refuses_what_is_wrong(void **state)
{
    (void)state;
    static const struct {
        enum reader reader;
        const char *json, *text;
    } cases[] = {
        {PROVIDERS, "[]", "expected an object with 'resource_providers', got an array"},
        {PROVIDERS, "{}", "resource_providers: missing, expected an array"},
        {PROVIDERS, "{\"resource_providers\": [3]}",
         "resource_providers[0]: expected an object with 'uuid', got an integer"},
        {PROVIDERS, PROVIDER("\"uuid\": \"x\""),
         "resource_providers[0]: uuid: 'x' is no uuid"},
        {PROVIDERS, PROVIDER("\"uuid\": \"" ROOT "\""),
         "resource_providers[0]: name: missing, expected a string"},
        {PROVIDERS, PROVIDER(HEAD "\"generation\": \"5\"," TAIL),
         "resource_providers[0]: generation: expected an integer, got a string"},
        {PROVIDERS, PROVIDER(HEAD "\"generation\": 1"),
         "resource_providers[0]: root_provider_uuid: missing, expected a string"},
        {PROVIDERS,
         PROVIDER(HEAD "\"generation\": 1, \"parent_provider_uuid\": 1," TAIL),
         "resource_providers[0]: parent_provider_uuid: expected a string, got an "
         "integer"},
        {INVENTORIES, "{\"inventories\": {}}",
         "resource_provider_generation: missing, expected an integer"},
        {INVENTORIES, "{\"inventories\": {\"VGPU\": " INVENTORY "}}",
         "resource_provider_generation: missing, expected an integer"},
        {INVENTORIES, "{\"inventories\": {\"VGPU\": {\"total\": 1}}" GENERATION,
         "inventories.VGPU: reserved: missing, expected an integer"},
        {INVENTORIES,
         "{\"inventories\": {\"A\": " INVENTORY
         ", \"VGPU\": {\"total\": -1}}" GENERATION,
         "inventories.VGPU: total: -1 is not between 0 and 2147483647"},
        {INVENTORIES,
         "{\"inventories\": {\"VGPU\": {\"total\": 2147483648}}" GENERATION,
         "inventories.VGPU: total: 2147483648 is not between 0 and 2147483647"},
        {INVENTORIES, "{\"inventories\": {\"vgpu\": " INVENTORY "}" GENERATION,
         "inventories: 'vgpu' is no name: expected 1 to 255 of A-Z, 0-9 and '_'"},
        {TRAITS, "{\"traits\": {}" GENERATION,
         "traits: expected an array, got an object"},
        {TRAITS, "{\"traits\": [\"CUSTOM_A\"]}",
         "resource_provider_generation: missing, expected an integer"},
        {TRAITS, "{\"traits\": [\"CUSTOM_A\", null]" GENERATION,
         "traits[1]: expected a string, got null"},
        {TRAITS, "{\"traits\": [\"\"]" GENERATION,
         "traits[0]: '' is no name: expected 1 to 255 of A-Z, 0-9 and '_'"},
        {ALLOCATIONS, "{\"allocations\": []" GENERATION,
         "allocations: expected an object, got an array"},
        {ALLOCATIONS, "{\"allocations\": {\"x\": {}}" GENERATION,
         "allocations.x: 'x' is no uuid"},
        {ALLOCATIONS, "{\"allocations\": {\"" ROOT "\": {}}" GENERATION,
         "allocations." ROOT ": resources: missing, expected an object"},
        {ALLOCATIONS,
         "{\"allocations\": {\"" ROOT
         "\": {\"resources\": {\"A\": 1, \"VGPU\": 0}}}" GENERATION,
         "allocations." ROOT ": resources: VGPU: 0 is not between 1 and 2147483647"},
        {ALLOCATIONS, "{\"allocations\": {\"" ROOT "\": {\"resources\": {\"A\": 1}}}}",
         "resource_provider_generation: missing, expected an integer"},
        {USAGES, "{\"usages\": {\"A\": 1, \"VGPU\": 1.5}}",
         "usages: VGPU: expected an integer, got a number"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        _cleanup_json_ struct json_object *json = parse(cases[i].json);
        struct error err = {0};
        assert_int_equal(read_with(cases[i].reader, json, &err), -1);
        assert_string_equal(err.text, cases[i].text);
        assert_int_equal(err.code, ERROR_INVALID);
    }
}

static void names_have_limits(void **state)
{
    (void)state;
    char name[PLACEMENT_MAX_NAME + 2];
    memset(name, 'A', sizeof name);
    name[PLACEMENT_MAX_NAME + 1] = 0;
    assert_false(codec_name_valid(name));
    name[PLACEMENT_MAX_NAME] = 0;
    assert_true(codec_name_valid(name));
    assert_true(codec_name_valid("HW_GPU_RESOLUTION_W320H240"));
    assert_false(codec_name_valid(""));
    assert_false(codec_name_valid("CUSTOM A"));
    assert_false(codec_name_valid("CUSTOM_\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_providers),
        cmocka_unit_test(inventories_come_back_as_written),
        cmocka_unit_test(traits_come_back_sorted),
        cmocka_unit_test(reads_allocations_and_usages),
        cmocka_unit_test(refuses_what_is_wrong),
        cmocka_unit_test(names_have_limits),
    };
    return cmocka_run_group_tests_name("codec", tests, NULL, NULL);
}
