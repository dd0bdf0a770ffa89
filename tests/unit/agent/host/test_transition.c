#include <stdlib.h>
#include <string.h>

#include "agent/host/host.h"
#include "lib/xalloc.h"
#include "tests/unit/test.h"

#define UUID_SEEN "00000000-0000-0000-0000-000000000001"
#define UUID_UNSEEN "00000000-0000-0000-0000-000000000002"

/* One card with one device that the scan saw as settled. */
static struct host *make_host(void)
{
    struct host *host = xcalloc(1, sizeof *host);
    struct parent *parent =
        gpu_add_parent(host_add_gpu(host, "0000:84:00.0"), "mdev", "0000:84:00.0");
    parent_add_device(parent, UUID_SEEN)->type_id = xstrdup("nvidia-35");
    return host;
}

static void test_marks(void **state)
{
    (void)state;
    static const struct {
        const char *uuid, *parent;
        size_t devices, strays;
    } cases[] = {
        {UUID_SEEN, "0000:84:00.0", 1, 0},
        {UUID_SEEN, "0000:99:00.0", 1, 0},
        {UUID_UNSEEN, "0000:84:00.0", 2, 0},
        {UUID_UNSEEN, "0000:99:00.0", 1, 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        _cleanup_(host_freep) struct host *host = make_host();
        struct device under_way = {.backend = "mdev", .leaving = i % 2};
        stpcpy(under_way.address, cases[i].uuid);
        host_mark_in_transition(host, &under_way, cases[i].parent);
        const struct device *mdev = host_device(host, cases[i].uuid, NULL, NULL);
        assert_non_null(mdev);
        assert_true(mdev->in_transition);
        assert_int_equal(mdev->leaving, i % 2);
        assert_int_equal(host->gpus[0].parents[0].device_count, cases[i].devices);
        assert_int_equal(host->stray_count, cases[i].strays);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_marks)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
