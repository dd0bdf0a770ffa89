#include "tests/unit/test.h"

#include <errno.h>
#include <stdio.h>

#include "tests/unit/sim/simulated.h"

/* How cards share what they have between types, and between virtual functions. */

#define UUID(n) "11111111-2222-3333-4444-55555555555" #n

static const char mixed[] =
    "{\"models\": {\"gvt\": {\"vendor\": \"0x8086\", \"device\": \"0x5912\", "
    "\"driver\": \"i915\", \"sharing\": \"mixed\", \"types\": ["
    "{\"id\": \"i915-4\", \"instances\": 2, \"description\": \"a\\nb\\n\"},"
    "{\"id\": \"i915-8\", \"instances\": 4}]}},"
    "\"cards\": [{\"model\": \"gvt\", \"path\": \"pci0000:00/0000:00:02.0\"}]}";

static void mixed_types_share_a_card(void **state)
{
    (void)state;
#define GVT "devices/pci0000:00/0000:00:02.0/mdev_supported_types/"
    struct sim *sim = simulated_host(mixed);
    assert_shows(sim, GVT "i915-4/description", "a\nb\n");
    assert_int_equal(simulated_store(sim, GVT "i915-8/create", UUID(1)), 0);
    assert_shows(sim, GVT "i915-4/available_instances", "1\n");
    assert_shows(sim, GVT "i915-8/available_instances", "3\n");
    assert_int_equal(simulated_store(sim, GVT "i915-4/create", UUID(2)), 0);
    assert_shows(sim, GVT "i915-4/available_instances", "0\n");
    assert_shows(sim, GVT "i915-8/available_instances", "1\n");
    assert_int_equal(simulated_store(sim, GVT "i915-4/create", UUID(3)), -ENOSPC);
    assert_int_equal(simulated_store(sim, GVT "i915-8/create", UUID(3)), 0);
    assert_int_equal(simulated_store(sim, GVT "i915-8/create", UUID(4)), -ENOSPC);
    sim_free(sim);
}

static void core_counts(void **state)
{
    (void)state;
#define CCW "devices/css0/0.0.26ab/mdev_supported_types/vfio_ccw-io"
    struct sim *sim = simulated_host(
        "{\"models\": {\"ccw\": {\"driver\": \"vfio_ccw\", \"exhausted\": \"EUSERS\","
        "\"types\": [{\"id\": \"vfio_ccw-io\", \"instances\": 1}]}},"
        "\"cards\": [{\"model\": \"ccw\", \"path\": \"css0/0.0.26ab\"}]}");
    assert_there(sim, "class/mdev_bus/0.0.26ab", true);
    assert_there(sim, "bus/pci/devices/0.0.26ab", false);
    /* The core takes the instance before the driver is asked. */
    struct background_store create = {sim, CCW "/create", UUID(1)};
    simulated_control(sim, "block create");
    background_begin(&create);
    await_node(sim, "bus/mdev/devices/" UUID(1), true);
    assert_shows(sim, CCW "/available_instances", "0\n");
    assert_int_equal(simulated_store(sim, CCW "/create", UUID(2)), -EUSERS);
    simulated_control(sim, "unblock");
    assert_int_equal(background_end(&create), 0);
    sim_free(sim);
}

static const char sriov[] =
    "{\"models\": {\"a40\": {\"vendor\": \"0x10de\", \"device\": \"0x2235\", "
    "\"driver\": \"nvidia\", \"sriov\": {\"total\": 8}, \"types\": ["
    "{\"id\": \"nvidia-1\", \"instances\": 2}, {\"id\": \"nvidia-2\", \"instances\": "
    "1}]}},"
    "\"cards\": [{\"model\": \"a40\", \"path\": \"pci0000:40/0000:41:00.0\", "
    "\"numvfs\": 3}]}";
#define PF "devices/pci0000:40/0000:41:00.0"
#define VF(n) "devices/pci0000:40/0000:41:0" n
#define TYPE(vf, type) VF(vf) "/mdev_supported_types/nvidia-" type

static void virtual_functions_show_one_until_the_card_is_full(void **state)
{
    (void)state;
    struct sim *sim = simulated_host(sriov);
    assert_there(sim, "class/mdev_bus/0000:41:00.0", false);
    assert_there(sim, "class/mdev_bus/0000:41:00.6", true);
    assert_there(sim, "class/mdev_bus/0000:41:00.7", false);
    assert_shows(sim, TYPE("0.4", "1") "/available_instances", "1\n");
    assert_int_equal(simulated_store(sim, TYPE("0.4", "1") "/create", UUID(1)), 0);
    assert_int_equal(simulated_store(sim, TYPE("0.4", "1") "/create", UUID(2)),
                     -ENOSPC);
    assert_shows(sim, TYPE("0.4", "1") "/available_instances", "0\n");
    assert_shows(sim, TYPE("0.5", "1") "/available_instances", "1\n");
    assert_shows(sim, TYPE("0.5", "2") "/available_instances", "0\n");
    assert_int_equal(simulated_store(sim, TYPE("0.6", "1") "/create", UUID(2)), 0);
    assert_shows(sim, TYPE("0.5", "1") "/available_instances", "0\n");
    sim_free(sim);
}

static void number_of_virtual_functions(void **state)
{
    (void)state;
    struct sim *sim = simulated_host(sriov);
    static const struct {
        const char *data;
        int rc;
        const char *shows;
    } cases[] = {{"9", -ERANGE, "3\n"}, {"x", -EINVAL, "3\n"},  {"-1", -EINVAL, "3\n"},
                 {"3\n", 0, "3\n"},     {"4", -EBUSY, "3\n"},   {"0", 0, "0\n"},
                 {"8", 0, "8\n"},       {"3", -EBUSY, "8\n"},   {"", -EINVAL, "8\n"},
                 {"0\n", 0, "0\n"},     {"9\n", -ERANGE, "0\n"}};
    assert_int_equal(simulated_store(sim, TYPE("0.5", "2") "/create", UUID(1)), 0);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int rc = simulated_store(sim, PF "/sriov_numvfs", cases[i].data);
        if (rc != cases[i].rc)
            fail_msg("%zu: %s: %d", i, cases[i].data, rc);
        assert_shows(sim, PF "/sriov_numvfs", cases[i].shows);
    }
    assert_there(sim, VF("0.5"), false);
    assert_there(sim, "bus/mdev/devices/" UUID(1), false);
    assert_there(sim, PF "/virtfn0", false);
    assert_int_equal(simulated_store(sim, PF "/sriov_numvfs", "8"), 0);
    /* Eight functions reach over into the next slot. */
    assert_there(sim, "class/mdev_bus/0000:41:01.3", true);
    assert_there(sim, PF "/virtfn7", true);
    assert_shows(sim, TYPE("0.5", "2") "/available_instances", "1\n");
    sim_free(sim);
}

static void removed_card_comes_back_without_virtual_functions(void **state)
{
    (void)state;
    struct sim *sim = simulated_host(sriov);
    simulated_control(sim, "unplug 0000:41:00.0");
    assert_there(sim, PF, false);
    assert_there(sim, VF("0.4"), false);
    simulated_control(sim, "rescan");
    assert_shows(sim, PF "/sriov_numvfs", "0\n");
    assert_there(sim, "class/mdev_bus/0000:41:00.4", false);
    simulated_control(sim, "numvfs 0000:41:00.0 2");
    assert_there(sim, "class/mdev_bus/0000:41:00.5", true);
    sim_free(sim);
}

static void kernel_without_mdev(void **state)
{
    (void)state;
    struct sim *sim = simulated_host(
        "{\"mdev\": false, \"models\": {\"m\": {\"vendor\": \"0x10de\", \"device\": "
        "\"0x13bd\", \"driver\": \"nvidia\", \"types\": ["
        "{\"id\": \"nvidia-1\", \"instances\": 2}]}}, \"cards\": [{\"model\": \"m\","
        "\"path\": \"pci0000:00/0000:01:00.0\"}]}");
    assert_there(sim, "bus/pci/devices/0000:01:00.0", true);
    assert_there(sim, "bus/mdev", false);
    assert_there(sim, "class/mdev_bus", false);
    assert_there(sim, "devices/pci0000:00/0000:01:00.0/mdev_supported_types", false);
    sim_free(sim);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mixed_types_share_a_card),
        cmocka_unit_test(core_counts),
        cmocka_unit_test(virtual_functions_show_one_until_the_card_is_full),
        cmocka_unit_test(number_of_virtual_functions),
        cmocka_unit_test(removed_card_comes_back_without_virtual_functions),
        cmocka_unit_test(kernel_without_mdev),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
