#include "agent/command/gpu_argument.h"

#include <string.h>

#include "lib/xalloc.h"
#include "tests/unit/test.h"

static struct host *make_host(void)
{
    struct host *host = xcalloc(1, sizeof *host);
    host_add_gpu(host, "0000:84:00.0");
    gpu_add_parent(host_add_gpu(host, "0000:41:00.0"), "mdev", "0000:41:00.4");
    gpu_add_parent(host_add_gpu(host, "mtty"), "mdev", "mtty");
    host_sort(host);
    return host;
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
        {"mtty", "mtty"},
        {"mtty_mtty", "mtty"},
        {"0000:99:00.0", "0000:99:00.0"}, /* known by name */
        {"0000:98:00.0", NULL},
        {"84", NULL},
        {"", NULL},
        {"../mtty", NULL},
    };
    _cleanup_(host_freep) struct host *host = make_host();
    _cleanup_strlist_ struct strlist known = {0};
    strlist_add(&known, "0000:99:00.0");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct error err;
        _cleanup_free_ char *name = NULL;
        int rc = gpu_argument_name(host, &known, cases[i].asked, &name, &err);
        assert_int_equal(rc, cases[i].name ? 0 : -1);
        if (cases[i].name) {
            assert_string_equal(name, cases[i].name);
            continue;
        }
        assert_int_equal(err.code, ERROR_NOT_FOUND);
        assert_non_null(strstr(err.text, "it has 0000:41:00.0, 0000:84:00.0, mtty"));
    }
}

static void a_host_without_any(void **state)
{
    (void)state;
    struct error err;
    const struct gpu *gpu;
    const struct host host = {0};
    assert_int_equal(gpu_argument_find(&host, "0000:84:00.0", &gpu, &err), -1);
    assert_string_equal(err.text, "no GPU 0000:84:00.0 on this host; it has none");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_that_are_understood),
        cmocka_unit_test(a_host_without_any),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
