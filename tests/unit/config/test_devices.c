/* [devices] and [mdev_*]: Nova's rules with its traps mended; tables of bad input. */
#include "config/devices.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/device_address.h"
#include "lib/xalloc.h"
#include "tests/unit/config/config_test.h"
#include "tests/unit/test.h"

static void addresses_are_normalised(void **state)
{
    (void)state;
    static const struct {
        const char *written, *normal;
    } cases[] = {
        {"0000:84:00.0", "0000:84:00.0"},
        {"0000:AF:1F.7", "0000:af:1f.7"},
        {"00000000:84:00.0", "0000:84:00.0"},
        {"00010000:E1:00.0", "10000:e1:00.0"},
        {"10000:e1:00.0", "10000:e1:00.0"},
        {"ffffffff:00:00.0", "ffffffff:00:00.0"},
        {"mtty", "mtty"},
        {"mtty_mtty", "mtty"},
        {"matrix", "matrix"},
        {"ap_matrix", "ap_matrix"},
        {"0.0.26ab", "0.0.26ab"},
        {"0.0.26AB", "0.0.26ab"},
        {"84:00.0", NULL},
        {"0000:84:00x0", NULL},
        {"0000:84:00.8", NULL},
        {"0000:84:20.0", NULL},
        {"000:84:00.0", NULL},
        {"000000000:84:00.0", NULL},
        {"0000:84:00.0x", NULL},
        {"0000:84:00.", NULL},
        {"0000:84:00", NULL},
        {"x0000:84:00.0", NULL},
        {"0000:g4:00.0", NULL},
        {"0000:84:00.0\n0000:85:00.0", NULL},
        {"pci_0000_84_00_0", NULL},
        {"PCI_0000_84_00_0", NULL},
        {"host_pci_0000_84_00_0", NULL},
        {"0.0.26az", NULL},
        {"84.00.0", NULL},
        {"../mtty", NULL},
        {"mtty mtty", NULL},
        {"gpupci1", NULL},
        {"gpupci12", NULL},
        {"gpupci", "gpupci"},
        {"gpupci0", "gpupci0"},
        {"gpupci1x", "gpupci1x"},
        {"", NULL},
        {"_", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *normal = device_address_normalise(cases[i].written);
        if (!cases[i].normal != !normal ||
            (normal && strcmp(normal, cases[i].normal) != 0))
            fail_msg("%s: got %s", cases[i].written, normal ? normal : "nothing");
        free(normal);
    }
}

#define TWO "[devices]\nenabled_mdev_types = nvidia-35, nvidia-36\n"
#define ONE "[devices]\nenabled_mdev_types = nvidia-35\n[mdev_nvidia-35]\n"
#define ADDRESS_FORM                                                                 \
    "; expected a PCI address as 0000:84:00.0, or the name of a device that is not " \
    "PCI"
#define TRAIT_FORM                                                              \
    "; expected a list of names that are CUSTOM_ and then A-Z, 0-9 and _; 255 " \
    "characters "                                                               \
    "at most each"
#define CLASS_FORM \
    "; expected VGPU, or CUSTOM_ and then A-Z, 0-9 and _; 255 characters at most"

#define TYPE_FORM                                                                    \
    "; expected ids such as nvidia-35 or names such as GRID V100DX-1Q, with commas " \
    "between them"
#define COMMENT "a comment stands on a line of its own, with # in the first column"

static void bad_input(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *problems[5];
    } cases[] = {
        {TWO "[mdev_nvidia-35]\ndevice_addresses = 0000:84:00.0\n"
             "[mdev_nvidia-36]\ndevice_addresses = 0000:84:00.0\n",
         {"a.conf:6: mdev_nvidia-36.device_addresses: duplicate types for PCI ID "
          "0000:84:00.0: it is also in mdev_nvidia-35.device_addresses; expected under "
          "one type, or several_types = true in both sections"}},
        {TWO "[mdev_nvidia-35]\ndevice_addresses = 0000:84:00.0\nseveral_types = true\n"
             "[mdev_nvidia-36]\ndevice_addresses = 0000:84:00.0\n",
         {"a.conf:7: mdev_nvidia-36.device_addresses: duplicate types for PCI ID "
          "0000:84:00.0: it is also in mdev_nvidia-35.device_addresses; expected under "
          "one type, or several_types = true in both sections"}},
        {TWO "[mdev_nvidia-35]\ndevice_addresses = 0000:84:00.0\nseveral_types = true\n"
             "[mdev_nvidia-36]\nallow_mixed = true\n"
             "device_addresses = 0000:84:00.0, 0000:84:00.0\n",
         {"a.conf:8: mdev_nvidia-36.device_addresses: duplicate types for PCI ID "
          "0000:84:00.0: it is twice in the list; expected once"}},
        {"[agent]\nmode = nova\n" TWO "[mdev_nvidia-35]\nseveral_types = true\n"
         "[mdev_nvidia-36]\ndevice_addresses = 0000:84:00.0\nallow_mixed = true\n",
         {"a.conf:6: mdev_nvidia-35.several_types: not in nova mode: nova-compute "
          "keeps "
          "one type for each GPU; expected mode = owner, or no such line",
          "a.conf:9: mdev_nvidia-36.allow_mixed: not in nova mode: nova-compute keeps "
          "one type for each GPU; expected mode = owner, or no such line"}},
        {ONE "several_types = true\none_time_use = true\n",
         {"a.conf:5: mdev_nvidia-35.one_time_use: true, and several_types as well: "
          "another of the card's types could get what was used; expected one of the "
          "two"}},
        {ONE "allow_mixed = true\none_time_use = true\n",
         {"a.conf:5: mdev_nvidia-35.one_time_use: true, and allow_mixed as well: "
          "another of the card's types could get what was used; expected one of the "
          "two"}},
        {TWO "[mdev_nvidia-35]\ndevice_addresses = 0000:AF:00.0\n"
             "[vgpu_nvidia-36]\ndevice_addresses = 00000000:af:00.0\n",
         {"a.conf:6: vgpu_nvidia-36.device_addresses: duplicate types for PCI ID "
          "0000:af:00.0: it is also in mdev_nvidia-35.device_addresses; expected under "
          "one type, or several_types = true in both sections"}},
        {ONE "device_addresses = 0000:84:00.0, 0000:85:00.0,\n  0000:84:00.0\n",
         {"a.conf:4: mdev_nvidia-35.device_addresses: duplicate types for PCI ID "
          "0000:84:00.0: it is twice in the list; expected once"}},
        {ONE "device_addresses = mtty, mtty_mtty\n",
         {"a.conf:4: mdev_nvidia-35.device_addresses: duplicate types for PCI ID mtty: "
          "it "
          "is twice in the list; expected once"}},
        {ONE "device_addresses = 84:00.0, 0000:84:00x0, 0000:84:00.8\n",
         {"a.conf:4: mdev_nvidia-35.device_addresses: incorrect device address: "
          "84:00.0; did you mean 0000:84:00.0?",
          "a.conf:4: mdev_nvidia-35.device_addresses: incorrect device address: "
          "0000:84:00x0" ADDRESS_FORM,
          "a.conf:4: mdev_nvidia-35.device_addresses: incorrect device address: "
          "0000:84:00.8" ADDRESS_FORM}},
        /* a comma forgotten */
        {ONE "device_addresses = 0000:84:00.0\n  0000:85:00.0\n",
         {"a.conf:4: mdev_nvidia-35.device_addresses: '0000:84:00.0?0000:85:00.0' is "
          "not "
          "accepted: an indented line continues the list above it; is a comma "
          "missing?"}},
        {ONE "mdev_class = vgpu\n",
         {"a.conf:4: mdev_nvidia-35.mdev_class: 'vgpu' is not accepted" CLASS_FORM}},
        {ONE "mdev_class = CUSTOM_\n",
         {"a.conf:4: mdev_nvidia-35.mdev_class: 'CUSTOM_' is not accepted" CLASS_FORM}},
        {ONE "mdev_class = CUSTOM_a\n",
         {"a.conf:4: mdev_nvidia-35.mdev_class: 'CUSTOM_a' is not "
          "accepted" CLASS_FORM}},
        {ONE "mdev_class = XCUSTOM_A\n",
         {"a.conf:4: mdev_nvidia-35.mdev_class: 'XCUSTOM_A' is not "
          "accepted" CLASS_FORM}},
        {ONE "mdev_class = PCPU\n",
         {"a.conf:4: mdev_nvidia-35.mdev_class: 'PCPU' is not accepted" CLASS_FORM}},
        {ONE "max_instances = 0\n",
         {"a.conf:4: mdev_nvidia-35.max_instances: '0' is not accepted; expected an "
          "integer from 1 to 65535"}},
        {ONE "max_unit = 0\n",
         {"a.conf:4: mdev_nvidia-35.max_unit: '0' is not accepted; expected an integer "
          "from 1 to 65535"}},
        {ONE "max_unit = 1\n[agent]\nmode = nova\n",
         {"a.conf:4: warning: mdev_nvidia-35.max_unit: 1, without effect while "
          "agent.mode is nova, where nova-compute keeps the inventory; expected no "
          "such "
          "line"}},
        {ONE "max_instances = many\n",
         {"a.conf:4: mdev_nvidia-35.max_instances: 'many' is not accepted; expected an "
          "integer from 1 to 65535"}},
        {ONE "traits = CUSTOM_A, HW_GPU_API_VULKAN\n",
         {"a.conf:4: mdev_nvidia-35.traits: 'HW_GPU_API_VULKAN' is not "
          "accepted" TRAIT_FORM}},
        {ONE "[mdev_nvidia-37]\nmax_instances = 1\n[vgpu_nvidia-38]\n",
         {"a.conf:4: mdev_nvidia-37: a section for a type that is not enabled; "
          "expected a "
          "type of devices.enabled_mdev_types (nvidia-35)",
          "a.conf:6: vgpu_nvidia-38: a section for a type that is not enabled; "
          "expected a "
          "type of devices.enabled_mdev_types (nvidia-35)"}},
        {"[mdev_nvidia-37]\n",
         {"a.conf:1: mdev_nvidia-37: a section for a type that is not enabled; "
          "expected a "
          "type of devices.enabled_mdev_types (which is not set)"}},
        {TWO,
         {"a.conf:2: warning: mdev_nvidia-36.device_addresses: not set, and nvidia-35 "
          "is "
          "the default type already, so nvidia-36 is not used; expected addresses for "
          "all "
          "types but one"}},
        {TWO
         "[mdev_nvidia-35]\nmdev_class = VGPU\n[mdev_nvidia-36]\ndevice_addresses =\n",
         {"a.conf:2: warning: mdev_nvidia-36.device_addresses: not set, and nvidia-35 "
          "is "
          "the default type already, so nvidia-36 is not used; expected addresses for "
          "all "
          "types but one"}},
        {"[devices]\nenabled_mdev_types = nvidia-35, nvidia-35\n",
         {"a.conf:2: warning: devices.enabled_mdev_types: nvidia-35 is named twice; "
          "expected once"}},
        {"[devices]\nenabled_mdev_types = ../x\n",
         {"a.conf:2: devices.enabled_mdev_types: '../x' cannot be a type" TYPE_FORM}},
        {"[devices]\nenabled_mdev_types = nvidia-35 nvidia-36\n[mdev_nvidia-36]\n",
         {"a.conf:2: devices.enabled_mdev_types: 'nvidia-35 nvidia-36' cannot be a "
          "type" TYPE_FORM}},
        {"[devices]\nenabled_mdev_types = nvidia-35; nvidia-36\n",
         {"a.conf:2: devices.enabled_mdev_types: 'nvidia-35; nvidia-36' cannot be a "
          "type" TYPE_FORM}},
        {ONE "device_addresses = ,\n",
         {"a.conf:4: warning: mdev_nvidia-35.device_addresses: empty, so that "
          "nvidia-35 "
          "is for every GPU that no type names; expected addresses, or no such line"}},
        {ONE "device_adresses = 0000:84:00.0\n",
         {"a.conf:4: mdev_nvidia-35.device_adresses: unknown option; did you "
          "mean device_addresses?"}},
        /* as lspci, libvirt and others write addresses */
        {ONE "device_addresses = pci_0000_84_00_0, 0000:84:00:0, 0000:84:00, "
             "gpu1.example_pci_0000_84_00_0\n",
         {"a.conf:4: mdev_nvidia-35.device_addresses: incorrect device address: "
          "pci_0000_84_00_0; did you mean 0000:84:00.0?",
          "a.conf:4: mdev_nvidia-35.device_addresses: incorrect device address: "
          "0000:84:00:0; did you mean 0000:84:00.0?",
          "a.conf:4: mdev_nvidia-35.device_addresses: incorrect device address: "
          "0000:84:00; did you mean 0000:84:00.0?",
          "a.conf:4: mdev_nvidia-35.device_addresses: incorrect device address: "
          "gpu1.example_pci_0000_84_00_0; did you mean 0000:84:00.0?"}},
        /* without its addresses the type would be everybody's default */
        {ONE "device_address = 0000:84:00.0\n",
         {"a.conf:4: mdev_nvidia-35.device_address: unknown option; did you mean "
          "device_addresses?"}},
        {ONE "gpus = 84:00.0\n",
         {"a.conf:4: mdev_nvidia-35.gpus: unknown option; did you mean "
          "device_addresses?"}},
        {"[devices]\nenabled_mdev_types = nvidia-35\ndevice_addresses = 0000:84:00.0\n",
         {"a.conf:3: devices.device_addresses: not used; it belongs into "
          "[mdev_<type>]"}},
        {ONE "max_instances = 8\nweight = 4\n",
         {"a.conf:5: warning: mdev_nvidia-35.weight: unknown option, not "
          "used"}},
        {"[devices]\nenabled_mdev_types = nvidia-35\n[nvidia-35]\n",
         {"a.conf:3: [nvidia-35]: not used; did you mean [mdev_nvidia-35]?"}},
        /* refused addresses make no default type */
        {TWO "[mdev_nvidia-35]\ndevice_addresses = 0000:84:00.0 # left\n",
         {"a.conf:4: mdev_nvidia-35.device_addresses: '0000:84:00.0 # left' is not "
          "accepted: " COMMENT}},
        {"[devices]\nenabled_mdev_types = nvidia-35 ; M10-2Q\n[mdev_nvidia-35]\n",
         {"a.conf:2: devices.enabled_mdev_types: 'nvidia-35 ; M10-2Q' is not "
          "accepted: " COMMENT}},
        {"[devices]\nenabled_mdev_types = \"nvidia-35\", \"nvidia-36\"\n",
         {"a.conf:2: devices.enabled_mdev_types: 'nvidia-35\"' is not accepted: quotes "
          "stand in pairs around the whole list, not around an item"}},
        {ONE "device_addresses = 0000:84:00.0\nmax_instances = 4\n"
             "device_addresses = 0000:85:00.0\n[mdev_NVIDIA-35]\nmax_instances = 2\n",
         {"a.conf:4: warning: mdev_nvidia-35.device_addresses: not used: line 6 sets "
          "it "
          "again, and the last one counts",
          "a.conf:5: warning: mdev_nvidia-35.max_instances: not used: line 8 sets it "
          "again, and the last one counts"}},
        {ONE "max_instances = 8\n[vgpu_nvidia-35]\nmax_instances = 4\n",
         {"a.conf:6: warning: vgpu_nvidia-35.max_instances: not used: line 4 has "
          "mdev_nvidia-35.max_instances, which is the same option"}},
        {"[devices]\nenabled_mdev_type = nvidia-35\n[mdev_nvidia-35]\n",
         {"a.conf:2: devices.enabled_mdev_type: unknown option; did you mean "
          "enabled_mdev_types?"}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_problems(cases[i].text, strlen(cases[i].text), cases[i].problems);
}

static void types_by_name_and_old_spellings(void **state)
{
    (void)state;
    _cleanup_(config_freep) struct config *config =
        load_text("[devices]\n"
                  "enabled_vgpu_types = GRID V100DX-1Q, mtty-2, nvidia-40\n"
                  "[mdev_grid v100dx-1q]\n"
                  "device_addresses = 0000:1A:00.0\n"
                  "max_instances = 8\n"
                  "traits = CUSTOM_GOLD, CUSTOM_RACK_7\n"
                  "[vgpu_mtty-2]\n"
                  "device_addresses = mtty_mtty\n"
                  "mdev_class = CUSTOM_SERIAL\n"
                  "[vgpu_nvidia-40]\n"
                  "device_addresses = 0000:1b:00.0\n"
                  "[mdev_nvidia-40]\n"
                  "max_instances = 4\n");
    assert_int_equal(config->type_count, 3);
    const struct mdev_type_config *t = config->types;
    assert_string_equal(t[0].type, "GRID V100DX-1Q");
    assert_string_equal(t[0].device_addresses.items[0], "0000:1a:00.0");
    assert_int_equal(t[0].max_instances, 8);
    assert_int_equal(t[0].traits.count, 2);
    assert_string_equal(t[0].traits.items[1], "CUSTOM_RACK_7");
    assert_string_equal(t[1].device_addresses.items[0], "mtty");
    assert_string_equal(t[1].mdev_class, "CUSTOM_SERIAL");
    assert_string_equal(t[2].device_addresses.items[0], "0000:1b:00.0");
    assert_int_equal(t[2].max_instances, 4);
}

static void a_dropped_default_leaves_the_others(void **state)
{
    (void)state;
    static const char text[] = "[devices]\nenabled_mdev_types = a, b, c\n"
                               "[mdev_c]\ndevice_addresses = 0000:84:00.0\n";
    struct config *config = NULL;
    struct strlist problems = {0};
    assert_int_equal(load(text, strlen(text), &config, &problems), 0);
    assert_int_equal(problems.count, 1);
    assert_int_equal(config->type_count, 2);
    assert_string_equal(config->types[0].type, "a");
    assert_string_equal(config->types[1].type, "c");
    strlist_clear(&problems);
    config_free(config);
}

static void the_longest_names(void **state)
{
    (void)state;
    char name[300] = "CUSTOM_";
    memset(name + 7, 'A', 248);
    char *text = xasprintf(ONE "mdev_class = %s\ntraits = %s\n", name, name);
    config_free(load_text(text));
    free(text);
    name[255] = 'A';
    text = xasprintf(ONE "traits = %s\n", name);
    char *expected = xasprintf(
        "a.conf:4: mdev_nvidia-35.traits: '%.200s' is not accepted" TRAIT_FORM, name);
    assert_problems(text, strlen(text), (const char *const[]){expected, NULL});
    free(text), free(expected);
}

/* 200 kB of addresses in one line: all are there, and it takes no time to speak of. */
static void many_addresses(void **state)
{
    (void)state;
    char *text = NULL;
    size_t length;
    FILE *file = open_memstream(&text, &length);
    fputs(ONE "device_addresses = ", file);
    for (unsigned i = 0; i < 15000; i++)
        fprintf(file, "%04x:%02x:00.0,", i >> 8, i & 0xff);
    fputs("\n", file);
    fclose(file);
    assert_true(length > 190000);
    _cleanup_(config_freep) struct config *config = load_text(text);
    assert_int_equal(config->types[0].device_addresses.count, 15000);
    assert_string_equal(config->types[0].device_addresses.items[14999], "003a:97:00.0");
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_are_normalised),
        cmocka_unit_test(bad_input),
        cmocka_unit_test(types_by_name_and_old_spellings),
        cmocka_unit_test(a_dropped_default_leaves_the_others),
        cmocka_unit_test(the_longest_names),
        cmocka_unit_test(many_addresses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
