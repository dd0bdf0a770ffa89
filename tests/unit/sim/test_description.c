#include "tests/unit/test.h"

#include <errno.h>
#include <string.h>

#include "tests/sim/description.h"

#define MODEL(more) \
    "{\"models\": {\"m\": {\"driver\": \"d\", " more "\"types\": []}}, \"cards\": []}"
#define CARD(card)                                                               \
    "{\"models\": {\"m\": {\"driver\": \"d\", \"vendor\": \"0x1\", \"device\": " \
    "\"0x2\", \"types\": []}}, \"cards\": [" card "]}"
#define TYPE(type) \
    "{\"models\": {\"m\": {\"driver\": \"d\", \"types\": [" type "]}}, \"cards\": []}"

static void refuses_with_the_place(void **state)
{
    (void)state;
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"[]", "expected an object, got an array"},
        {"{\"cards\": []}", "models: missing, expected an object"},
        {"{\"models\": {}, \"cards\": [], \"card\": 1}", "card: unknown member"},
        {"{\"models\": {\"m\": 1}, \"cards\": []}",
         "models.m: expected an object, got an integer"},
        {"{\"models\": {\"m\": {\"types\": []}}, \"cards\": []}",
         "models.m: driver: missing, expected a string"},
        {MODEL("\"sharing\": \"all\", "),
         "models.m: sharing: expected \"one-type\" or \"mixed\""},
        {MODEL("\"exhausted\": \"EIO\", "),
         "models.m: exhausted: expected \"ENOSPC\" or \"EUSERS\""},
        {MODEL("\"sriov\": {\"total\": 0}, "),
         "models.m: sriov: total: expected 1 to 250"},
        {MODEL("\"sriov\": {\"total\": 200, \"stride\": 2}, "),
         "models.m: sriov: total: does not fit on one bus"},
        {TYPE("{\"id\": \"x\"}"), "models.m: types[0]: instances: expected 1 to 4096"},
        {TYPE("{\"id\": 1, \"instances\": 1}"),
         "models.m: types[0]: id: expected a string, got an integer"},
        {TYPE("{\"id\": \"x\", \"instances\": 1, \"count\": 5000}"),
         "models.m: types[0]: count: expected 1 to 4096"},
        {CARD("{\"model\": \"x\", \"path\": \"a/0000:00:00.0\"}"),
         "cards[0]: model: \"x\" is none of the models"},
        {CARD("{\"model\": \"m\", \"path\": \"0000:00:00.0\"}"),
         "cards[0]: path: expected the bus and the device, as in "
         "\"pci0000:80/0000:84:00.0\""},
        {CARD("{\"model\": \"m\", \"path\": \"a/0000:00:00.8\"}"),
         "cards[0]: path: 0000:00:00.8 is no PCI address"},
        {CARD("{\"model\": \"m\", \"path\": \"a/0000:00:00.0\", \"numvfs\": 1}"),
         "cards[0]: numvfs: expected 0 to 0"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct description *description = NULL;
        struct error err = {0};
        const char *text = cases[i].text;
        if (description_parse(text, strlen(text), &description, &err) == 0)
            fail_msg("%s: taken", text);
        assert_string_equal(err.text, cases[i].message);
        assert_null(description);
    }
}

static void numbers_what_is_many(void **state)
{
    (void)state;
    static const char text[] =
        "{\"models\": {\"m\": {\"driver\": \"d\", \"vendor\": \"0x1\", \"device\": "
        "\"0x2\", \"types\": [{\"id\": \"d-{d}\", \"name\": \"N-{d}{x}\", "
        "\"instances\": 3, \"first\": 9, \"count\": 3}]}}, \"cards\": [{\"model\": "
        "\"m\", \"path\": \"pci/00{x}:{x}:00.0\", \"first\": 254, \"count\": 2}]}";
    _cleanup_(description_freep) struct description *description = NULL;
    struct error err = {0};
    assert_ok(description_parse(text, strlen(text), &description, &err), &err);
    const struct model *model = description->models[0];
    assert_int_equal(model->type_count, 3);
    assert_string_equal(model->types[1].id, "d-10");
    assert_string_equal(model->types[2].name, "N-110b");
    assert_string_equal(model->types[2].device_api, "vfio-pci");
    assert_int_equal(model->types[2].instances, 3);
    assert_int_equal(model->exhausted, ENOSPC);
    assert_int_equal(description->card_count, 2);
    assert_string_equal(description->cards[0].path, "pci/00fe:fe:00.0");
    assert_string_equal(description->cards[1].path, "pci/00ff:ff:00.0");
    assert_int_equal(description->cards[1].numa_node, -1);
    assert_true(description->mdev);
}

static void knows_pci_addresses(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool valid;
    } cases[] = {{"0000:84:00.0", true},     {"10000:01:00.0", true},
                 {"ffffffff:ff:1f.7", true}, {"000:84:00.0", false},
                 {"0000:84:00.8", false},    {"0000:84:20.0", false},
                 {"0000:84:00x0", false},    {"0000:8:00.0", false},
                 {"0000:84:00.0 ", false},   {"0000:84:00", false},
                 {"0000:8G:00.0", false},    {"pci0000:80", false},
                 {"00000:84:00.0", false},   {"", false}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (pci_address_valid(cases[i].text) != cases[i].valid)
            fail_msg("%s", cases[i].text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_with_the_place),
        cmocka_unit_test(numbers_what_is_many),
        cmocka_unit_test(knows_pci_addresses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
