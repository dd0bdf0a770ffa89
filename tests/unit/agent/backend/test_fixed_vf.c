#include "tests/unit/test.h"

#include <stdlib.h>
#include <string.h>

#include "agent/backend/fixed_vf.h"
#include "agent/backend/scan.h"
#include "agent/host/capacity.h"
#include "lib/xalloc.h"
#include "tests/unit/tree.h"

#define BUS "devices/pci0000:60/"
#define PF "0000:63:00.0"
#define VF_1 "0000:63:02.0"
#define VF_2 "0000:63:02.1"
#define CONSUMER "00000000-0000-4000-8000-0000000000c1"
#define STRANGER "00000000-0000-4000-8000-0000000000c9"
#define UUID "4b20d080-1b54-4048-85b3-a6a62d165c01"

static char addresses_item[] = PF, type_name[] = "v620-vf";
static char *addresses_items[] = {addresses_item};

static struct mdev_type_config the_type(void)
{
    return (struct mdev_type_config){
        .type = type_name,
        .device_addresses = {.items = addresses_items, .count = 1},
        .vf = {.fixed = true},
    };
}

/* A display card with two functions that no driver cuts. */
static char *new_host(void)
{
    static const char *const functions[] = {VF_1, VF_2};
    char *tree = tree_new();
    tree_proc(tree);
    tree_folder(tree, USE_DEFINED);
    tree_folder(tree, USE_RUNNING);
    tree_card(tree, BUS PF, "0x038000\n");
    tree_write(tree, BUS PF "/sriov_totalvfs", "12\n");
    tree_write(tree, BUS PF "/sriov_numvfs", "2\n");
    tree_functions(tree, BUS PF, functions, 2, "0x038000\n");
    return tree;
}

static struct host *scan(const char *tree, const struct mdev_type_config *type)
{
    const struct config config = {.types = (struct mdev_type_config *)type,
                                  .type_count = 1};
    struct host *host = NULL;
    struct error err = {0};
    assert_ok(host_scan_configured(tree, &config, NULL, NULL, &host, &err), &err);
    return host;
}

static void each_function_is_a_unit(void **state)
{
    (void)state;
    char *tree = new_host();
    const struct mdev_type_config type = the_type();
    struct host *host = scan(tree, &type);
    const struct gpu *gpu = host_gpu(host, PF);
    const struct parent *parent;
    const struct device *device = host_device(host, VF_2, NULL, &parent);
    assert_int_equal(gpu->parent_count, 2);
    assert_string_equal(device->backend, "fixed_vf");
    assert_string_equal(device->type_id, "v620-vf");
    assert_string_equal(device->nodes.items[0], "/dev/vfio/71");
    assert_string_equal(parent->path, BUS VF_2);
    assert_int_equal(gpu_capacity(gpu, "v620-vf"), 2);
    assert_true(backend_is_address(host, VF_1));
    assert_false(backend_is_address(host, PF));
    host_free(host);
    tree_free(tree);
}

static void a_function_may_be_named_for_its_card(void **state)
{
    (void)state;
    char *tree = new_host();
    char function[] = VF_2, *items[] = {function};
    struct mdev_type_config type = the_type();
    type.device_addresses.items = items;
    struct host *host = scan(tree, &type);
    assert_int_equal(host_gpu(host, PF)->parent_count, 2);
    host_free(host);
    tree_free(tree);
}

static void what_is_not_configured_is_no_unit(void **state)
{
    (void)state;
    char *tree = new_host();
    struct mdev_type_config type = the_type();
    type.vf.fixed = false;
    struct host *host = scan(tree, &type);
    assert_int_equal(host_gpu(host, PF)->parent_count, 0);
    host_free(host);
    /* Its driver offers mdevs of it. */
    type.vf.fixed = true;
    tree_folder(tree, BUS VF_1 "/mdev_supported_types");
    host = scan(tree, &type);
    assert_int_equal(host_gpu(host, PF)->parent_count, 1);
    host_free(host);
    /* The card has gone. */
    char gone[] = "0000:99:00.0", *items[] = {gone};
    type.device_addresses.items = items;
    host = scan(tree, &type);
    assert_null(host_gpu(host, gone));
    host_free(host);
    tree_free(tree);
}

static void only_its_own_consumer_may_have_it(void **state)
{
    (void)state;
    char *tree = new_host();
    const struct device_place place = {tree, {tree, USE_DEFINED, USE_RUNNING, false}};
    const struct device_spec spec = {.uuid = UUID,
                                     .address = VF_1,
                                     .gpu = PF,
                                     .parent = VF_1,
                                     .type_id = "v620-vf",
                                     .consumer = CONSUMER};
    char address[DEVICE_ADDRESS_SIZE];
    bool existed = false;
    struct error err = {0};
    assert_ok(backend_fixed_vf.create(&place, &spec, address, &existed, &err), &err);
    assert_true(existed);
    assert_string_equal(address, VF_1);
    assert_ok(backend_fixed_vf.clear(&place, &spec, &err), &err);
    assert_ok(backend_fixed_vf.remove(&place, &spec, &err), &err);
    tree_write(tree, USE_DEFINED "/x.xml",
               "<domain><uuid>" STRANGER "</uuid><devices><hostdev type='pci'><source>"
               "<address domain='0x0000' bus='0x63' slot='0x02' function='0x0'/>"
               "</source></hostdev></devices></domain>");
    assert_int_equal(backend_fixed_vf.create(&place, &spec, address, &existed, &err),
                     -1);
    assert_int_equal(backend_fixed_vf.clear(&place, &spec, &err), -1);
    assert_int_equal(err.code, ERROR_BUSY);
    assert_int_equal(backend_fixed_vf.remove(&place, &spec, &err), -1);
    /* What is not there is not kept. */
    tree_remove(tree, "bus/pci/devices/" VF_1);
    assert_ok(backend_fixed_vf.remove(&place, &spec, &err), &err);
    tree_free(tree);
}

static void libvirt_binds_it_for_the_guest(void **state)
{
    (void)state;
    const struct device device = {.address = VF_2};
    _cleanup_free_ char *xml = backend_fixed_vf.guest_xml(&device, NULL);
    assert_non_null(strstr(xml, "type='pci' managed='yes'"));
    assert_non_null(strstr(xml, "bus='0x63' slot='0x02' function='0x1'"));
    _cleanup_free_ char *qemu = backend_fixed_vf.qemu_device(&device, NULL);
    assert_string_equal(qemu, "vfio-pci,host=" VF_2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_function_is_a_unit),
        cmocka_unit_test(a_function_may_be_named_for_its_card),
        cmocka_unit_test(what_is_not_configured_is_no_unit),
        cmocka_unit_test(only_its_own_consumer_may_have_it),
        cmocka_unit_test(libvirt_binds_it_for_the_guest),
    };
    return cmocka_run_group_tests_name("fixed_vf", tests, NULL, NULL);
}
