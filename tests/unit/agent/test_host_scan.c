#include "tests/unit/test.h"

#include <string.h>

#include "agent/host_scan.h"
#include "tests/unit/agent/tree.h"

#define A "devices/pci0000:80/0000:80:02.0/0000:83:00.0/0000:84:00.0"
#define UUID_1 "4b20d080-1b54-4048-85b3-a6a62d165c01"

static const struct tree_type types[] = {
    {"nvidia-35", "GRID V100DX-1Q\n",
     "num_heads=4, frl_config=60, framebuffer=1024M, max_resolution=5120x2880, "
     "max_instance=16\n",
     15},
    {"nvidia-9", "GRID V100DX-2Q\n", NULL, 0},
};

static void finds_a_card_its_types_and_devices(void **state)
{
    (void)state;
    char *tree = tree_new();
    tree_parent(tree, A, types, 2);
    tree_mdev(tree, A, UUID_1, "nvidia-35", "12");
    _cleanup_(host_freep) struct host *host = NULL;
    struct error err = {0};
    assert_ok(host_scan(tree, &host, &err), &err);
    assert_int_equal(host->gpu_count, 1);
    const struct gpu *gpu = &host->gpus[0];
    assert_string_equal(gpu->name, "0000:84:00.0");
    assert_string_equal(gpu->node_name, "pci_0000_84_00_0");
    assert_string_equal(gpu->driver, "nvidia");
    assert_int_equal(gpu->vendor, 0x10de);
    assert_int_equal(gpu->device, 0x1db6);
    assert_int_equal(gpu->numa_node, 1);
    assert_int_equal(gpu->health, GPU_OK);
    assert_int_equal(gpu->parent_count, 1);
    const struct mdev_parent *parent = &gpu->parents[0];
    assert_string_equal(parent->path, A);
    assert_int_equal(parent->type_count, 2);
    assert_string_equal(parent->types[0].id, "nvidia-9");
    assert_string_equal(parent->types[1].id, "nvidia-35");
    assert_string_equal(parent->types[1].name, "GRID V100DX-1Q");
    assert_int_equal(parent->types[1].available, 15);
    assert_int_equal(parent->types[1].attributes.max_instance, 16);
    assert_int_equal(parent->mdev_count, 1);
    assert_string_equal(parent->mdevs[0].uuid, UUID_1);
    assert_string_equal(parent->mdevs[0].type_id, "nvidia-35");
    assert_string_equal(parent->mdevs[0].iommu_group, "12");
    assert_false(parent->mdevs[0].in_transition);
    tree_free(tree);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_a_card_its_types_and_devices),
    };
    return cmocka_run_group_tests_name("host_scan", tests, NULL, NULL);
}
