#include "tests/unit/test.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/sim/simulated.h"

#define A "11111111-2222-3333-4444-555555555555"
#define B "11111111-2222-3333-4444-666666666666"

/* Two cards, two types of 2 and 1 instances; the driver counts. */
static const char two_cards[] =
    "{\"models\": {\"m\": {\"vendor\": \"0x10de\", \"device\": \"0x13bd\", "
    "\"driver\": \"nvidia\", \"types\": ["
    "{\"id\": \"nvidia-1\", \"name\": \"GRID X-1Q\", \"instances\": 2},"
    "{\"id\": \"nvidia-2\", \"instances\": 1}]}},"
    "\"cards\": [{\"model\": \"m\", \"path\": \"pci0000:00/0000:{x}:00.0\", "
    "\"first\": 1, \"count\": 2}]}";

#define CARD "devices/pci0000:00/0000:01:00.0"
#define OTHER "devices/pci0000:00/0000:02:00.0"
#define TYPE_1 CARD "/mdev_supported_types/nvidia-1"
#define TYPE_2 CARD "/mdev_supported_types/nvidia-2"

static void create_answers_as_the_kernel(void **state)
{
    (void)state;
    static const struct {
        const char *path, *data;
        int rc;
    } cases[] = {
        {TYPE_1 "/create", "", -EINVAL},
        {TYPE_1 "/create", "11111111-2222-3333-4444-55555555555", -EINVAL},
        {TYPE_1 "/create", A "\n\n", -EINVAL},
        {TYPE_1 "/create", "1111111g-2222-3333-4444-555555555555", -EINVAL},
        {TYPE_1 "/create", "111111112-222-3333-4444-555555555555", -EINVAL},
        {TYPE_1 "/create", "{1111111-2222-3333-4444-555555555555", -EINVAL},
        {TYPE_1 "/create", A "\n", 0},
        {TYPE_1 "/create", A, -EEXIST},
        /* Whatever the type or parent, and before exhaustion. */
        {TYPE_2 "/create", A, -EEXIST},
        {OTHER "/mdev_supported_types/nvidia-1/create", A, -EEXIST},
        /* One type a card. */
        {TYPE_2 "/create", B, -ENOSPC},
        {OTHER "/mdev_supported_types/nvidia-2/create", B "x", 0},
        {TYPE_1 "/create", B, -EEXIST},
        {TYPE_1 "/create", "AAAAAAAA-2222-3333-4444-55555555555F", 0},
        {TYPE_1 "/create", "bbbbbbbb-2222-3333-4444-555555555555", -ENOSPC},
        {TYPE_1 "/create", "bbbbbbbb", -EINVAL},
    };
    struct sim *sim = simulated_host(two_cards);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int rc = simulated_store(sim, cases[i].path, cases[i].data);
        if (rc != cases[i].rc)
            fail_msg("%zu: %s < '%s': %d", i, cases[i].path, cases[i].data, rc);
    }
    assert_non_null(node_find(sim->root, CARD "/aaaaaaaa-2222-3333-4444-55555555555f"));
    assert_shows(sim, TYPE_1 "/available_instances", "0\n");
    assert_shows(sim, TYPE_2 "/available_instances", "0\n");
    sim_free(sim);
}

static void remove_answers_as_the_kernel(void **state)
{
    (void)state;
    struct sim *sim = simulated_host(two_cards);
    assert_int_equal(simulated_store(sim, TYPE_1 "/create", A), 0);
    struct node *remove = node_ref(node_find(sim->root, CARD "/" A "/remove"));
    static const struct {
        const char *data;
        int rc;
    } cases[] = {{"", 0},         {"0", 0},        {"0\n", 0},      {"x", -EINVAL},
                 {"-1", -EINVAL}, {" 1", -EINVAL}, {"1 ", -EINVAL}, {"1x", -EINVAL},
                 {"1\n", 0},      {"1", -ENODEV}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int rc = sim_store(sim, remove, cases[i].data, strlen(cases[i].data));
        if (rc != cases[i].rc)
            fail_msg("'%s': %d", cases[i].data, rc);
    }
    assert_int_equal(simulated_store(sim, CARD "/" A "/remove", "1"), -ENOENT);
    assert_null(node_find(sim->root, "bus/mdev/devices/" A));
    assert_shows(sim, TYPE_1 "/available_instances", "2\n");
    assert_shows(sim, TYPE_2 "/available_instances", "1\n");
    assert_int_equal(simulated_store(sim, TYPE_2 "/create", A), 0);
    node_unref(remove);
    sim_free(sim);
}

static void files_are_where_the_kernel_has_them(void **state)
{
    (void)state;
    struct sim *sim = simulated_host(two_cards);
    assert_int_equal(simulated_store(sim, TYPE_1 "/create", A), 0);
    static const struct {
        const char *link, *text;
    } links[] = {
        {"class/mdev_bus/0000:01:00.0", "../../" CARD},
        {"bus/mdev/devices/" A, "../../../" CARD "/" A},
        {"bus/pci/devices/0000:01:00.0", "../../../" CARD},
        {"bus/pci/drivers/nvidia/0000:01:00.0", "../../../../" CARD},
        {CARD "/driver", "../../../bus/pci/drivers/nvidia"},
        {CARD "/subsystem", "../../../bus/pci"},
        {CARD "/" A "/mdev_type", "../mdev_supported_types/nvidia-1"},
        {TYPE_1 "/devices/" A, "../../../" A},
        {CARD "/" A "/iommu_group", "../../../../kernel/iommu_groups/2"},
        {"kernel/iommu_groups/2/devices/" A, "../../../../" CARD "/" A},
    };
    for (size_t i = 0; i < sizeof links / sizeof *links; i++) {
        struct node *link = node_find(sim->root, links[i].link);
        if (!link)
            fail_msg("%s: there is none", links[i].link);
        _cleanup_free_ char *text = node_link_text(link);
        assert_string_equal(text, links[i].text);
    }
    assert_shows(sim, TYPE_1 "/name", "GRID X-1Q\n");
    assert_null(node_find(sim->root, TYPE_2 "/name"));
    assert_shows(sim, TYPE_1 "/device_api", "vfio-pci\n");
    assert_shows(sim, CARD "/vendor", "0x10de\n");
    assert_shows(sim, CARD "/numa_node", "-1\n");
    sim_free(sim);
}

static void devices_in_transition(void **state)
{
    (void)state;
    struct sim *sim = simulated_host(two_cards);
    struct background_store create = {sim, TYPE_1 "/create", A};
    simulated_control(sim, "block create");
    background_begin(&create);
    await_node(sim, "bus/mdev/devices/" A, true);
    assert_there(sim, CARD "/" A "/mdev_type", false);
    assert_there(sim, TYPE_1 "/devices/" A, false);
    assert_shows(sim, TYPE_1 "/available_instances", "2\n");
    assert_int_equal(simulated_store(sim, TYPE_2 "/create", A), -EEXIST);
    simulated_control(sim, "unblock");
    assert_int_equal(background_end(&create), 0);
    assert_there(sim, CARD "/" A "/mdev_type", true);

    struct background_store remove = {sim, CARD "/" A "/remove", "1"};
    simulated_control(sim, "block unlink");
    background_begin(&remove);
    await_node(sim, CARD "/" A "/mdev_type", false);
    assert_there(sim, "bus/mdev/devices/" A, true);
    simulated_control(sim, "unblock");
    assert_int_equal(background_end(&remove), 0);
    assert_there(sim, CARD "/" A, false);
    sim_free(sim);
}

static void remove_during_create_is_stuck(void **state)
{
    (void)state;
    struct sim *sim = simulated_host(two_cards);
    struct background_store create = {sim, TYPE_1 "/create", A};
    simulated_control(sim, "block create");
    background_begin(&create);
    await_node(sim, CARD "/" A "/remove", true);
    assert_int_equal(simulated_store(sim, CARD "/" A "/remove", "1"), -EAGAIN);
    simulated_control(sim, "unblock");
    assert_int_equal(background_end(&create), 0);
    assert_there(sim, CARD "/" A "/mdev_type", true);
    assert_there(sim, CARD "/" A "/remove", false);
    assert_int_equal(simulated_store(sim, TYPE_1 "/create", A), -EEXIST);
    assert_shows(sim, TYPE_1 "/available_instances", "1\n");
    simulated_control(sim, "unbind 0000:01:00.0");
    assert_there(sim, "bus/mdev/devices/" A, false);
    simulated_control(sim, "bind 0000:01:00.0");
    assert_int_equal(simulated_store(sim, TYPE_2 "/create", A), 0);
    sim_free(sim);
}

static void remove_waits_for_the_holder(void **state)
{
    (void)state;
    struct sim *sim = simulated_host(two_cards);
    assert_int_equal(simulated_store(sim, TYPE_1 "/create", A), 0);
    assert_int_equal(simulated_store(sim, TYPE_1 "/create", B), 0);
    simulated_control(sim, "hold " A);
    struct background_store remove = {sim, CARD "/" A "/remove", "1"};
    background_begin(&remove);
    await_node(sim, "bus/mdev/devices/" A, false);
    assert_there(sim, TYPE_1 "/devices/" A, false);
    assert_there(sim, CARD "/" A, true);
    assert_shows(sim, TYPE_1 "/available_instances", "0\n");
    assert_int_equal(
        simulated_store(sim, OTHER "/mdev_supported_types/nvidia-1/create", A),
        -EEXIST);
    assert_int_equal(simulated_store(sim, CARD "/" B "/remove", "1"), 0);
    simulated_control(sim, "unhold " A);
    assert_int_equal(background_end(&remove), 0);
    assert_shows(sim, TYPE_1 "/available_instances", "2\n");
    sim_free(sim);
}

/* A card that goes waits for stores under way, and lets nothing new begin. */
static void unplug_waits_for_a_slow_create(void **state)
{
    (void)state;
    struct sim *sim = simulated_host(two_cards);
    struct background_store create = {sim, TYPE_1 "/create", A},
                            unplug = {sim, CARD "/remove", "1"};
    simulated_control(sim, "block create");
    background_begin(&create);
    await_node(sim, "bus/mdev/devices/" A, true);
    background_begin(&unplug);
    pthread_mutex_lock(&sim->lock);
    while (!sim->functions[0]->parent->leaving)
        sim_wait(sim);
    pthread_mutex_unlock(&sim->lock);
    assert_int_equal(simulated_store(sim, TYPE_1 "/create", B), -ENODEV);
    simulated_control(sim, "unblock");
    assert_int_equal(background_end(&create), 0);
    assert_int_equal(background_end(&unplug), 0);
    assert_there(sim, CARD, false);
    assert_there(sim, "bus/mdev/devices/" A, false);
    assert_there(sim, "class/mdev_bus/0000:01:00.0", false);
    simulated_control(sim, "rescan");
    assert_shows(sim, TYPE_1 "/available_instances", "2\n");
    sim_free(sim);
}

/* Many threads at once, for the sanitizers: in the end the books are right. */
static void *churn(void *context)
{
    struct background_store *store = context;
    char path[100];
    snprintf(path, sizeof path, CARD "/%s/remove", store->data);
    for (int i = 0; i < 200; i++) {
        int rc = simulated_store(store->sim, TYPE_1 "/create", store->data);
        if (rc != 0 && rc != -ENOSPC)
            store->result = rc;
        rc = simulated_store(store->sim, path, "1");
        if (rc != 0 && rc != -ENOENT)
            store->result = rc;
    }
    return NULL;
}

static void many_threads(void **state)
{
    (void)state;
    static const char *const uuids[] = {A, B, "11111111-2222-3333-4444-777777777777",
                                        "11111111-2222-3333-4444-888888888888"};
    struct sim *sim = simulated_host(two_cards);
    struct background_store stores[4] = {0};
    for (size_t i = 0; i < 4; i++) {
        stores[i] = (struct background_store){.sim = sim, .data = uuids[i]};
        assert_int_equal(pthread_create(&stores[i].thread, NULL, churn, &stores[i]), 0);
    }
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(background_end(&stores[i]), 0);
    assert_shows(sim, TYPE_1 "/available_instances", "2\n");
    assert_int_equal(sim->mdev_count, 0);
    sim_free(sim);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(create_answers_as_the_kernel),
        cmocka_unit_test(remove_answers_as_the_kernel),
        cmocka_unit_test(files_are_where_the_kernel_has_them),
        cmocka_unit_test(devices_in_transition),
        cmocka_unit_test(remove_during_create_is_stuck),
        cmocka_unit_test(remove_waits_for_the_holder),
        cmocka_unit_test(unplug_waits_for_a_slow_create),
        cmocka_unit_test(many_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
