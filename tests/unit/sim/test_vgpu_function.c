#include "tests/unit/test.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/sim/simulated.h"

/* Virtual functions that are given their types by stores (NVIDIA's vendor-specific
 * VFIO): what the driver shows, and what it refuses. */

#define MODEL(more)                                                                  \
    "{\"mdev\": false, \"models\": {\"l40s\": {\"vendor\": \"0x10de\", \"device\": " \
    "\"0x26b9\", \"driver\": \"nvidia\", \"interface\": \"vendor-vfio\", "           \
    "\"sriov\": {\"total\": 8}, " more "\"types\": ["                                \
    "{\"id\": \"1147\", \"name\": \"NVIDIA L40S-1Q\", \"instances\": 4},"            \
    "{\"id\": \"1155\", \"name\": \"NVIDIA L40S-24Q\", \"instances\": 2}]}},"
#define CARD(more)                                                                   \
    "\"cards\": [{\"model\": \"l40s\", \"path\": \"pci0000:40/0000:41:00.0\", " more \
    "\"numvfs\": 5}]}"
#define PF "devices/pci0000:40/0000:41:00.0"
#define VF(n) "devices/pci0000:40/0000:41:0" n
#define CURRENT(n) VF(n) "/nvidia/current_vgpu_type"
#define CREATABLE(n) VF(n) "/nvidia/creatable_vgpu_types"
#define HEAD "ID    : vGPU Name\n"
#define SMALL "1147  : NVIDIA L40S-1Q\n"
#define LARGE "1155  : NVIDIA L40S-24Q\n"

static const char host[] = MODEL("") CARD("");

static void functions_show_the_files_and_the_card_none(void **state)
{
    (void)state;
    struct sim *sim = simulated_host(host);
    assert_there(sim, "class/mdev_bus", false);
    assert_there(sim, "bus/mdev", false);
    assert_there(sim, PF "/nvidia", false);
    assert_there(sim, VF("0.4") "/mdev_supported_types", false);
    assert_there(sim, PF "/virtfn4", true);
    assert_there(sim, VF("0.4") "/physfn", true);
    assert_there(sim, VF("0.4") "/iommu_group", true);
    assert_there(sim, VF("0.4") "/vfio-dev/vfio0", true);
    assert_there(sim, VF("0.5") "/vfio-dev/vfio1", true);
    assert_shows(sim, CURRENT("0.4"), "0\n");
    assert_shows(sim, CREATABLE("0.4"), HEAD SMALL LARGE);
    sim_free(sim);
}

static void the_list_shrinks_as_the_card_fills(void **state)
{
    (void)state;
    struct sim *sim = simulated_host(host);
    assert_int_equal(simulated_store(sim, CURRENT("0.4"), "1155\n"), 0);
    assert_shows(sim, CURRENT("0.4"), "1155\n");
    assert_shows(sim, CREATABLE("0.4"), "");
    assert_shows(sim, CREATABLE("0.5"), HEAD LARGE);
    assert_int_equal(simulated_store(sim, CURRENT("0.5"), "1155"), 0);
    /* By its memory, with three functions left. */
    assert_shows(sim, CREATABLE("0.6"), HEAD);
    assert_int_equal(simulated_store(sim, CURRENT("0.6"), "1155"), -ENOSPC);
    assert_int_equal(simulated_store(sim, CURRENT("0.4"), "0"), 0);
    assert_shows(sim, CREATABLE("0.6"), HEAD LARGE);
    assert_int_equal(simulated_store(sim, CURRENT("0.5"), "0"), 0);
    assert_shows(sim, CREATABLE("0.6"), HEAD SMALL LARGE);
    sim_free(sim);
}

static void mixed_sizes_share_the_memory(void **state)
{
    (void)state;
    struct sim *sim = simulated_host(MODEL("\"sharing\": \"mixed\", ") CARD(""));
    assert_int_equal(simulated_store(sim, CURRENT("0.4"), "1147"), 0);
    assert_shows(sim, CREATABLE("0.5"), HEAD SMALL LARGE);
    assert_int_equal(simulated_store(sim, CURRENT("0.5"), "1155"), 0);
    assert_shows(sim, CREATABLE("0.6"), HEAD SMALL);
    sim_free(sim);
}

static void refusals(void **state)
{
    (void)state;
    struct sim *sim = simulated_host(host);
    static const struct {
        const char *data;
        int rc;
        const char *shows;
    } cases[] = {
        {"1147", 0, "1147\n"},
        {"1147", -EINVAL, "1147\n"},
        {"1155", -EINVAL, "1147\n"},
        {"1146", -ENODEV, "1147\n"},
        {"", -EINVAL, "1147\n"},
        {"x", -EINVAL, "1147\n"},
        {"-1147", -EINVAL, "1147\n"},
        {"0\n", 0, "0\n"},
        {"0", 0, "0\n"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int rc = simulated_store(sim, CURRENT("0.4"), cases[i].data);
        if (rc != cases[i].rc)
            fail_msg("%zu: %s: %d", i, cases[i].data, rc);
        assert_shows(sim, CURRENT("0.4"), cases[i].shows);
    }
    assert_int_equal(simulated_store(sim, CURRENT("0.4"), "1147"), 0);
    assert_int_equal(simulated_store(sim, CURRENT("0.5"), "1155"), -EINVAL);
    simulated_control(sim, "hold 0000:41:00.4");
    assert_int_equal(simulated_store(sim, CURRENT("0.4"), "0"), -EBUSY);
    assert_int_equal(simulated_store(sim, VF("0.4") "/nvidia/vgpu_params", " "),
                     -EPERM);
    simulated_control(sim, "unhold 0000:41:00.4");
    assert_int_equal(simulated_store(sim, CURRENT("0.4"), "0"), 0);
    sim_free(sim);
}

static void faults_bite_at_stores(void **state)
{
    (void)state;
    struct sim *sim = simulated_host(host);
    simulated_control(sim, "fail create EIO");
    assert_int_equal(simulated_store(sim, CURRENT("0.4"), "1147"), -EIO);
    assert_shows(sim, CURRENT("0.4"), "0\n");
    assert_int_equal(simulated_store(sim, CURRENT("0.4"), "1147"), 0);
    simulated_control(sim, "fail remove EBUSY nth 2 on 0000:41:00.4");
    assert_int_equal(simulated_store(sim, CURRENT("0.4"), "0"), 0);
    assert_int_equal(simulated_store(sim, CURRENT("0.4"), "1147"), 0);
    assert_int_equal(simulated_store(sim, CURRENT("0.4"), "0"), -EBUSY);
    simulated_control(sim, "block create");
    struct background_store create = {sim, CURRENT("0.5"), "1147"};
    background_begin(&create);
    simulated_control(sim, "clear");
    assert_int_equal(background_end(&create), 0);
    assert_shows(sim, CURRENT("0.5"), "1147\n");
    simulated_control(sim, "lose 0000:41:00.0");
    assert_int_equal(simulated_store(sim, CURRENT("0.5"), "0"), -EIO);
    sim_free(sim);
}

static void types_end_with_the_functions(void **state)
{
    (void)state;
    struct sim *sim = simulated_host(host);
    assert_int_equal(simulated_store(sim, CURRENT("0.4"), "1155"), 0);
    simulated_control(sim, "numvfs 0000:41:00.0 0");
    assert_there(sim, VF("0.4"), false);
    simulated_control(sim, "numvfs 0000:41:00.0 2");
    assert_shows(sim, CURRENT("0.4"), "0\n");
    assert_shows(sim, CREATABLE("0.4"), HEAD SMALL LARGE);
    sim_free(sim);
}

static void a_card_that_is_not_in_sriov_mode_offers_mdevs(void **state)
{
    (void)state;
    char text[sizeof host + 64];
    snprintf(text, sizeof text, "%s", MODEL("") CARD("\"sriov_mode\": false, "));
    /* The kernel has mdev there. */
    memcpy(strstr(text, "false"), "true ", 5);
    struct sim *sim = simulated_host(text);
    assert_there(sim, "class/mdev_bus/0000:41:00.4", true);
    assert_there(sim, VF("0.4") "/mdev_supported_types/nvidia-1147", true);
    assert_shows(sim, CURRENT("0.4"), "0\n");
    sim_free(sim);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(functions_show_the_files_and_the_card_none),
        cmocka_unit_test(the_list_shrinks_as_the_card_fills),
        cmocka_unit_test(mixed_sizes_share_the_memory),
        cmocka_unit_test(refusals),
        cmocka_unit_test(faults_bite_at_stores),
        cmocka_unit_test(types_end_with_the_functions),
        cmocka_unit_test(a_card_that_is_not_in_sriov_mode_offers_mdevs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
