#include "agent/host/codec.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/xalloc.h"
#include "tests/unit/test.h"

#define CARD "0000:84:00.0"

static struct host *make_host(int devices)
{
    struct host *host = xcalloc(1, sizeof *host);
    struct parent *parent = gpu_add_parent(host_add_gpu(host, CARD), "mdev", CARD);
    for (int i = 0; i < devices; i++) {
        char address[16];
        snprintf(address, sizeof address, "device-%02d", i);
        struct device *device = parent_add_device(parent, address);
        device->type_id = xstrdup("nvidia-35");
        strlist_add(&device->nodes, "/dev/vfio/12");
        strlist_add(&device->functions, "0000:84:00.1");
        device->former = xstrdup("0000:84:00.1=pci-stub");
    }
    strlist_add(&parent_add_place(parent, CARD)->nodes, "/dev/vfio/13");
    return host;
}

static struct host *pass(const struct host *host)
{
    size_t length;
    struct error err = {0};
    struct host *back = NULL;
    _cleanup_free_ char *packed = host_pack(host, &length);
    assert_ok(host_unpack(packed, length, &back, &err), &err);
    return back;
}

static void passes_everything_of_a_device(void **state)
{
    (void)state;
    _cleanup_(host_freep) struct host *host = make_host(1), *back = pass(host);
    const struct parent *parent = &back->gpus[0].parents[0];
    const struct device *device = &parent->devices[0];
    assert_string_equal(parent->backend, "mdev");
    assert_string_equal(device->backend, "mdev");
    assert_string_equal(device->address, "device-00");
    assert_string_equal(device->type_id, "nvidia-35");
    assert_string_equal(device->nodes.items[0], "/dev/vfio/12");
    assert_string_equal(device->functions.items[0], "0000:84:00.1");
    assert_string_equal(device->former, "0000:84:00.1=pci-stub");
    assert_int_equal(parent->place_count, 1);
    assert_string_equal(parent->places[0].backend, "mdev");
    assert_string_equal(parent->places[0].address, CARD);
    assert_string_equal(parent->places[0].nodes.items[0], "/dev/vfio/13");
}

/* What is under way is marked in the host that came through the pipe. */
static void the_host_can_be_added_to(void **state)
{
    (void)state;
    for (int count = 0; count < 10; count++) {
        _cleanup_(host_freep) struct host *host = make_host(count), *back = pass(host);
        for (int i = 0; i < 20; i++) {
            struct device device = {.backend = "mdev"};
            snprintf(device.address, sizeof device.address, "unseen-%02d", i);
            host_mark_in_transition(back, &device, i % 2 ? CARD : "0000:99:00.0");
        }
        const struct parent *parent = &back->gpus[0].parents[0];
        assert_int_equal(parent->device_count, count + 10);
        assert_int_equal(back->stray_count, 10);
        for (int i = 0; i < count; i++)
            assert_string_equal(parent->devices[i].type_id, "nvidia-35");
    }
}

static void what_is_torn_is_refused(void **state)
{
    (void)state;
    _cleanup_(host_freep) struct host *host = make_host(3);
    size_t length;
    _cleanup_free_ char *packed = host_pack(host, &length);
    for (size_t part = 0; part < length; part++) {
        struct host *back = NULL;
        assert_int_equal(host_unpack(packed, part, &back, NULL), -1);
        assert_null(back);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(passes_everything_of_a_device),
        cmocka_unit_test(the_host_can_be_added_to),
        cmocka_unit_test(what_is_torn_is_refused),
    };
    return cmocka_run_group_tests_name("codec", tests, NULL, NULL);
}
