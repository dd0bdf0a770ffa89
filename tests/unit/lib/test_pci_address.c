#include "tests/unit/test.h"

#include <string.h>

#include "lib/pci_address.h"

static const struct {
    const char *text;
    const char *normal; /* NULL: none */
} cases[] = {
    {"0000:84:00.0", "0000:84:00.0"},
    {"0000:AB:1F.7", "0000:ab:1f.7"},
    {"00000000:84:00.0", "0000:84:00.0"},
    {"10000:01:00.0", "10000:01:00.0"},
    {"00010000:01:00.0", "10000:01:00.0"},
    {"ffffffff:ff:1f.7", "ffffffff:ff:1f.7"},
    {"84:00.0", NULL},
    {"000:84:00.0", NULL},
    {"000000000:84:00.0", NULL},
    {"0000:84:00", NULL},
    {"0000:84:00x0", NULL},
    {"0000:84:00.8", NULL},
    {"0000:84:20.0", NULL},
    {"0000:84:00.00", NULL},
    {"0000:8:00.0", NULL},
    {"0000:g4:00.0", NULL},
    {" 0000:84:00.0", NULL},
    {"0000:84:00.0\n", NULL},
    {"0000:84:00.", NULL},
    {"0000:84", NULL},
    {"0000:", NULL},
    {"mtty", NULL},
    {"", NULL},
};

static void takes_addresses_and_nothing_else(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char out[PCI_ADDRESS_SIZE] = "untouched";
        bool ok = pci_address_normalise(cases[i].text, out);
        const char *expected = cases[i].normal ? cases[i].normal : "untouched";
        if (ok != (cases[i].normal != NULL) || strcmp(out, expected) != 0)
            fail_msg("%s: %d %s", cases[i].text, ok, out);
        assert_int_equal(pci_address_parse(cases[i].text, NULL), ok);
    }
}

static void numbers_follow_the_bus(void **state)
{
    (void)state;
    static const char *const ascending[] = {
        "0000:09:00.0", "0000:10:00.0", "0000:1a:00.0", "0000:1a:00.1",
        "0000:1a:01.0", "0000:3d:00.0", "0001:00:00.0", "10000:00:00.0",
    };
    uint64_t before = 0, number;
    for (size_t i = 0; i < sizeof ascending / sizeof *ascending; i++) {
        assert_true(pci_address_parse(ascending[i], &number));
        assert_true(number > before);
        before = number;
    }
}

static void what_others_write_is_guessed(void **state)
{
    (void)state;
    static const struct {
        const char *text, *meant; /* NULL: nothing */
    } guesses[] = {
        {"84:00.0", "0000:84:00.0"},
        {"84:00", "0000:84:00.0"},
        {"0000:84:00", "0000:84:00.0"},
        {"0000:84:00:1", "0000:84:00.1"},
        {"0000_84_00_1", "0000:84:00.1"},
        {"pci_0000_84_00_0", "0000:84:00.0"},
        {"PCI:0000:84:00.0", "0000:84:00.0"},
        {"pci@0000:84:00.0", "0000:84:00.0"},
        {"gpu1.example_pci_10000_E1_1f_7", "10000:e1:1f.7"},
        {"0:84:0.0", "0000:84:00.0"},
        {"0000:84:00.8", NULL},
        {"184:00.0", NULL},
        {"0000:84:00.0.0", NULL},
        {"0000:84:00x0", NULL},
        {"84", NULL},
        {"pci_", NULL},
        {":84:00.0", NULL},
        {"mtty", NULL},
        {"", NULL},
    };
    for (size_t i = 0; i < sizeof guesses / sizeof *guesses; i++) {
        char out[PCI_ADDRESS_SIZE] = "untouched";
        bool ok = pci_address_guess(guesses[i].text, out);
        const char *expected = guesses[i].meant ? guesses[i].meant : "untouched";
        if (ok != (guesses[i].meant != NULL) || strcmp(out, expected) != 0)
            fail_msg("%s: %d %s", guesses[i].text, ok, out);
    }
}

static void brief_ones_have_no_domain_of_zeros(void **state)
{
    (void)state;
    assert_string_equal(pci_address_brief("0000:84:00.0"), "84:00.0");
    assert_string_equal(pci_address_brief("0001:84:00.0"), "0001:84:00.0");
    assert_string_equal(pci_address_brief("10000:01:00.0"), "10000:01:00.0");
    assert_string_equal(pci_address_brief("mtty"), "mtty");
    assert_string_equal(pci_address_brief("0000:x"), "0000:x");
    assert_null(pci_address_brief(NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_addresses_and_nothing_else),
        cmocka_unit_test(numbers_follow_the_bus),
        cmocka_unit_test(what_others_write_is_guessed),
        cmocka_unit_test(brief_ones_have_no_domain_of_zeros),
    };
    return cmocka_run_group_tests_name("pci_address", tests, NULL, NULL);
}
