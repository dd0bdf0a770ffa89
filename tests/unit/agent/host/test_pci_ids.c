#include "agent/host/pci_ids.h"

#include "lib/xalloc.h"
#include "tests/unit/test.h"
#include "tests/unit/tree.h"

static const char list[] = "# a comment\n"
                           "10cf  Another\n"
                           "\t26b9  Of another vendor\n"
                           "10de  NVIDIA Corporation\n"
                           "\t13f2  GM204GL [Tesla M60]\n"
                           "\t\t10de 115e  GRID M60-8Q\n"
                           "# a comment among its devices\n"
                           "\t26b9  AD102GL [L40S]\n"
                           "10df  The next\n"
                           "\t1db6  Of the next vendor\n"
                           "C 03  Display controller\n"
                           "\t00  VGA compatible controller\n";

static void models_by_vendor_and_device(void **state)
{
    static const struct {
        uint16_t vendor, device;
        const char *model; /* NULL: it is not in the list */
    } cases[] = {
        {0x10de, 0x13f2, "GM204GL [Tesla M60]"},
        {0x10de, 0x26b9, "AD102GL [L40S]"},
        {0x10cf, 0x26b9, "Of another vendor"},
        {0x10df, 0x1db6, "Of the next vendor"},
        {0x10de, 0x1db6, NULL},
        {0x10de, 0x115e, NULL}, /* a subsystem */
        {0x1234, 0x26b9, NULL},
        {0, 0, NULL},
    };
    (void)state;
    static const char *const places[] = {"usr/share/misc", "usr/share/hwdata"};
    for (size_t place = 0; place < 2; place++) {
        char *root = tree_new();
        _cleanup_pci_ids_ struct pci_ids none, ids;
        pci_ids_read(root, &none);
        assert_null(pci_ids_model(&none, 0x10de, 0x26b9));
        _cleanup_free_ char *file = xasprintf("%s/pci.ids", places[place]);
        tree_write(root, file, list);
        pci_ids_read(root, &ids);
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
            _cleanup_free_ char *model =
                pci_ids_model(&ids, cases[i].vendor, cases[i].device);
            if (cases[i].model)
                assert_string_equal(model, cases[i].model);
            else
                assert_null(model);
        }
        tree_free(root);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(models_by_vendor_and_device),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
