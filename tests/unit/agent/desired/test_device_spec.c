/* [pci] device_spec as nova-compute reads it. tests/upstream compares the same with
 * Nova's own parser, on random texts. */
#include "agent/desired/device_spec.h"

#include <string.h>

#include "lib/xalloc.h"
#include "tests/unit/test.h"

#define CARD "0000:41:00.0"

static const char *const functions[] = {"0000:41:00.4", "0000:41:00.5", "0000:41:01.0",
                                        CARD};
#define FUNCTIONS (sizeof functions / sizeof *functions)

static const struct {
    const char *text;
    const char *named; /* by the order of `functions`; NULL: it is refused */
} cases[] = {
    {"{}", "yyyy"},
    {"{\"address\": \"\"}", "yyyy"},
    {"{\"address\": \"0000:41:00.5\"}", "-y--"},
    {"{\"address\": \"0:41:0.5\"}", "-y--"},
    {"{\"address\": \"41:00.5\"}", "-y--"},
    {"{\"address\": \":41:\"}", "yyyy"},
    {"{\"address\": \"*:41:01.*\"}", "--y-"},
    {"{\"address\": \".5\"}", "-y--"},
    {"{\"address\": \"42:*.*\"}", "----"},
    {"{\"address\": \"0000:41:00.0\"}", "yyyy"},
    {"{\"address\": {\"bus\": \"41\", \"function\": \"[45]\"}}", "yy--"},
    {"{\"address\": {\"bus\": \"4\", \"slot\": \"01\"}}", "--y-"},
    {"{\"address\": {\"bus\": \"1\"}}", "----"},
    {"[{\"address\": \".4\"}, {\"address\": \".0\"}]", "y-yy"},
    {"{\"vendor_id\": \"10DE\", \"address\": \".4\"}", "y---"},
    {"{\"vendor_id\": \"8086\"}", "----"},
    {"{\"address\": \"0000:41:00.8\"}", NULL},
    {"{\"address\": \"0000:41:20.0\"}", NULL},
    {"{\"address\": \"0:0:41:00.0\"}", NULL},
    {"{\"address\": \"x1:00.0\"}", NULL},
    {"{\"address\": {\"bus\": \"(\"}}", NULL},
    {"{\"address\": 7}", NULL},
    {"{\"devname\": \"eth0\"}", NULL},
    {"{\"managed\": \"perhaps\"}", NULL},
    {"{\"traits\": [\"A\"]}", NULL},
    {"[7]", NULL},
    {"7", NULL},
    {"", NULL},
    {"{", NULL},
};

static struct gpu card = {.name = (char *)CARD, .vendor = 0x10de, .vf_total = 32};

static struct nova_pci_config config_of(struct nova_pci_value *value, const char *text)
{
    *value = (struct nova_pci_value){.text = (char *)text,
                                     .place = {.file = (char *)"nova.conf", .line = 3}};
    return (struct nova_pci_config){.specs = value, .spec_count = 1};
}

static void what_is_named(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct nova_pci_value value;
        const struct nova_pci_config config = config_of(&value, cases[i].text);
        _cleanup_problems_ struct config_problems problems = {0};
        _cleanup_specs_ struct device_specs specs = {0};
        device_specs_read(&config, &specs, &problems);
        if (config_has_errors(&problems) != !cases[i].named)
            fail_msg("%s is %s", cases[i].text, cases[i].named ? "refused" : "taken");
        for (size_t j = 0; cases[i].named && j < FUNCTIONS; j++) {
            struct device_tags tags;
            bool named = device_specs_find(&specs, &card, functions[j], &tags);
            if (named != (cases[i].named[j] == 'y'))
                fail_msg("%s and %s", cases[i].text, functions[j]);
        }
    }
}

/* The first entry that matches decides. */
static void what_is_said(void **state)
{
    (void)state;
    struct nova_pci_value value;
    const struct nova_pci_config config = config_of(
        &value,
        "[{\"address\": \".4\", \"managed\": \"No\", \"live_migratable\": \"1\","
        "  \"resource_class\": \"nvidia l40s-1q\","
        "  \"traits\": \"gold,,custom_a , HW_GPU_API_VULKAN,gold\"},"
        " {\"physical_network\": \"net\", \"resource_class\": \"vgpu\"}]");
    _cleanup_problems_ struct config_problems problems = {0};
    _cleanup_specs_ struct device_specs specs = {0};
    struct device_tags tags;
    device_specs_read(&config, &specs, &problems);
    assert_true(device_specs_find(&specs, &card, functions[0], &tags));
    _cleanup_free_ char *traits = strlist_join(tags.traits, " ");
    assert_string_equal(traits, "CUSTOM_A CUSTOM_GOLD HW_GPU_API_VULKAN");
    assert_string_equal(tags.resource_class, "CUSTOM_NVIDIA_L40S_1Q");
    assert_true(!tags.managed && tags.live_migratable && !tags.has_network);
    assert_int_equal(tags.place->line, 3);
    assert_true(device_specs_find(&specs, &card, functions[1], &tags));
    assert_string_equal(tags.resource_class, "VGPU");
    assert_true(tags.managed && !tags.live_migratable && tags.has_network);
    assert_int_equal(tags.traits->count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(what_is_named),
                                       cmocka_unit_test(what_is_said)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
