#include "agent/command/gpu_argument.h"

#include <string.h>

#include "lib/xalloc.h"
#include "tests/unit/test.h"

#define UUID "11111111-aaaa-5111-8111-111111111111"

static struct host *make_host(void)
{
    struct host *host = xcalloc(1, sizeof *host);
    host_add_gpu(host, "0000:84:00.0");
    host_add_gpu(host, "0000:06:00.0");
    host_add_gpu(host, "0001:06:00.0");
    gpu_add_parent(host_add_gpu(host, "0000:41:00.0"), "mdev", "0000:41:00.4");
    gpu_add_parent(host_add_gpu(host, "mtty"), "mdev", "mtty");
    host_sort(host);
    return host;
}

/* 99 is known by name only, and 84 and 98 have providers. */
static struct gpu_names make_names(void)
{
    struct gpu_names names = {0};
    struct journal *journal = journal_new();
    strlist_add(&names.gpus, "0000:99:00.0");
    strlist_add(&names.gpus, "0000:41:00.4"); /* of a card that is known */
    struct journal_provider provider = {.uuid = UUID,
                                        .name = (char *)"h_pci_0000_84_00_0",
                                        .gpu = (char *)"0000:84:00.0"};
    journal_put_provider(journal, &provider);
    gpu_names_add_journal(&names, journal);
    journal_free(journal);
    return names;
}

static void names_that_are_understood(void **state)
{
    (void)state;
    static const struct {
        const char *asked, *name; /* NULL: there is none */
    } cases[] = {
        {"0000:84:00.0", "0000:84:00.0"},
        {"00000000:84:00.0", "0000:84:00.0"},
        {"0000:41:00.4", "0000:41:00.0"},
        {"pci_0000_41_00_0", "0000:41:00.0"},
        {"pci_0000_41_00_4", "0000:41:00.0"},
        {"mtty", "mtty"},
        {"mtty_mtty", "mtty"},
        {"0000:99:00.0", "0000:99:00.0"}, /* known by name */
        {"99:00.0", "0000:99:00.0"},
        {"pci_0000_99_00_0", "0000:99:00.0"},
        {"84:00.0", "0000:84:00.0"}, /* as lspci(8) has it */
        {"41:00.4", "0000:41:00.0"},
        {"0000:06:00.0", "0000:06:00.0"},
        {"0001:06:00.0", "0001:06:00.0"},
        {"h_pci_0000_84_00_0", "0000:84:00.0"}, /* its provider's name, uuid */
        {UUID, "0000:84:00.0"},
        {"11111111-AAAA-5111-8111-111111111111", "0000:84:00.0"},
        {"gpupci1", "0000:06:00.0"}, /* in the order of the bus */
        {"gpupci3", "0000:84:00.0"},
        {"gpupci4", "0001:06:00.0"},
        {"gpupci5", NULL}, /* mtty is not PCI */
        {"gpupci0", NULL},
        {"gpupci", NULL},
        {"gpupci01", NULL},
        {"other_pci_0000_84_00_0", NULL}, /* another host's */
        {"22222222-aaaa-5111-8111-111111111111", NULL},
        {"0000:98:00.0", NULL},
        {"0001:84:00.0", NULL},
        {"84:00.1", NULL},
        {"84:00", NULL},
        {"84", NULL},
        {"", NULL},
        {"../mtty", NULL},
    };
    _cleanup_(host_freep) struct host *host = make_host();
    _cleanup_gpu_names_ struct gpu_names names = make_names();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct error err;
        _cleanup_free_ char *name = NULL;
        int rc = gpu_argument_name(host, &names, cases[i].asked, &name, &err);
        if ((rc == 0) != (cases[i].name != NULL))
            fail_msg("%s: %s", cases[i].asked, rc == 0 ? name : err.text);
        if (cases[i].name) {
            assert_string_equal(name, cases[i].name);
            continue;
        }
        assert_int_equal(err.code, ERROR_NOT_FOUND);
        assert_non_null(strstr(err.text, "it has 0000:06:00.0, 0000:41:00.0, "
                                         "0000:84:00.0, 0001:06:00.0, mtty"));
    }
}

static void a_name_of_several(void **state)
{
    (void)state;
    _cleanup_(host_freep) struct host *host = make_host();
    struct error err;
    const struct gpu *gpu;
    assert_int_equal(gpu_argument_find(host, NULL, "06:00.0", &gpu, &err), -1);
    assert_int_equal(err.code, ERROR_INVALID);
    assert_string_equal(err.text,
                        "06:00.0 can be each of 0000:06:00.0, 0001:06:00.0: say which");
}

static void one_that_is_not_there_is_none_of_the_host(void **state)
{
    (void)state;
    _cleanup_(host_freep) struct host *host = make_host();
    _cleanup_gpu_names_ struct gpu_names names = make_names();
    struct error err;
    const struct gpu *gpu;
    assert_int_equal(gpu_argument_find(host, &names, "0000:99:00.0", &gpu, &err), -1);
    assert_int_equal(err.code, ERROR_NOT_FOUND);
    assert_int_equal(gpu_argument_find(host, &names, UUID, &gpu, &err), 0);
    assert_string_equal(gpu->name, "0000:84:00.0");
}

static void a_host_without_any(void **state)
{
    (void)state;
    struct error err;
    const struct gpu *gpu;
    const struct host host = {0};
    assert_int_equal(gpu_argument_find(&host, NULL, "0000:84:00.0", &gpu, &err), -1);
    assert_string_equal(err.text, "no GPU 0000:84:00.0 on this host; it has none");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_that_are_understood),
        cmocka_unit_test(a_name_of_several),
        cmocka_unit_test(one_that_is_not_there_is_none_of_the_host),
        cmocka_unit_test(a_host_without_any),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
