/* A second kind beside mdev, all the way through the agent: seen, made, given to a guest,
 * released. What such a kind needs is in fake_kind.c. */
#include "agent/backend/backends.h"

#include <stdlib.h>

#include "agent/backend/mdev.h"
#include "agent/report/consumer_devices.h"
#include "lib/xalloc.h"
#include "tests/unit/agent/backend/second_kind_rig.h"
#include "tests/unit/test.h"
#include "tests/unit/tree.h"

const struct backend *const backends[] = {&fake_kind, &backend_mdev, NULL};

static void is_seen_beside_the_other_kind(void **state)
{
    (void)state;
    struct rig rig;
    FOR_BOTH(&rig)
    {
        rig_set_function(&rig, VF_2, TYPE);
        struct sight sight = rig_look(&rig);
        assert_int_equal(sight.host->gpu_count, 2);
        const struct parent *parent;
        const struct device *device = host_device(sight.host, VF_2, NULL, &parent);
        assert_string_equal(device->backend, "fake_vf");
        assert_string_equal(device->uuid, "");
        assert_string_equal(parent->name, fake_kind_chooses ? CARD : VF_2);
        device = host_device(sight.host, MDEV, NULL, &parent);
        assert_string_equal(device->backend, "mdev");
        assert_string_equal(parent->backend, "mdev");
        sight_clear(&sight);
    }
}

static void is_made_noted_given_to_the_guest_and_released(void **state)
{
    (void)state;
    struct rig rig;
    FOR_BOTH(&rig)
    {
        rig.consumer = CONSUMER_1;
        struct sight sight = rig_look(&rig);
        assert_int_equal(plan_count_steps(sight.plan, STEP_CREATE_DEVICE), 1);
        assert_int_equal(plan_status_of(sight.plan, CONSUMER_1)->state,
                         ALLOCATION_PENDING);
        rig_carry_out(&rig, sight.plan, STEP_CREATE_DEVICE);
        sight_clear(&sight);
        expect_function(&rig, VF_1, TYPE);
        expect_entry(&rig, CONSUMER_1, VF_1);

        sight = rig_look(&rig);
        const struct allocation_status *status = plan_status_of(sight.plan, CONSUMER_1);
        assert_int_equal(status->state, ALLOCATION_READY);
        assert_int_equal(plan_count_steps(sight.plan, STEP_CREATE_DEVICE), 0);
        assert_int_equal(status->devices.count, 1);
        assert_string_equal(status->devices.items[0], rig.journal->devices[0].uuid);
        struct cycle_round round = {.plan = sight.plan};
        const struct cycle cycle_seen = {.config = &rig.config,
                                         .host = sight.host,
                                         .journal = rig.journal,
                                         .use = sight.use,
                                         .rounds = &round,
                                         .round_count = 1};
        struct consumer_device *devices = NULL;
        size_t count;
        struct error err = {0};
        assert_ok(consumer_devices(&cycle_seen, CONSUMER_1, &devices, &count, &err),
                  &err);
        const struct backend *backend = backend_find(devices[0].device->backend);
        char *xml = backend->guest_xml(devices[0].device, devices[0].type);
        assert_string_equal(xml, "<hostdev pci='" VF_1 "' name='FAKE L40S-1Q'/>");
        free(xml);
        free(devices);
        sight_clear(&sight);

        /* Its guest is defined with it, and the allocation goes: it stays. */
        rig_write_domain_naming(&rig, CONSUMER_1, VF_1);
        rig.consumer = NULL;
        assert_int_equal(rig_cycle(&rig, STEP_REMOVE_DEVICE), 0);
        sight = rig_look(&rig);
        assert_int_equal(plan_count_steps(sight.plan, STEP_REMOVE_DEVICE), 0);
        assert_string_equal(plan_status_of(sight.plan, CONSUMER_1)->reason,
                            "a libvirt domain names it");
        sight_clear(&sight);
        tree_remove(rig.tree, "etc/libvirt/qemu/" CONSUMER_1 ".xml");
        assert_int_equal(rig_cycle(&rig, STEP_REMOVE_DEVICE), 1);
        expect_function(&rig, VF_1, "0");
        assert_int_equal(rig.journal->device_count, 0);
    }
}

static void a_late_release_does_not_take_the_next_owners(void **state)
{
    (void)state;
    struct rig rig;
    FOR_BOTH(&rig)
    {
        rig.consumer = CONSUMER_1;
        assert_int_equal(rig_cycle(&rig, STEP_CREATE_DEVICE), 1);
        rig.consumer = NULL;
        assert_int_equal(rig_cycle(&rig, STEP_REMOVE_DEVICE), 0); /* the grace period */
        struct sight sight = rig_look(&rig);
        assert_int_equal(plan_count_steps(sight.plan, STEP_REMOVE_DEVICE), 1);
        rig_set_function(&rig, VF_1, OTHER_TYPE);
        rig_carry_out(&rig, sight.plan, STEP_REMOVE_DEVICE);
        sight_clear(&sight);
        expect_function(&rig, VF_1, OTHER_TYPE);
        assert_int_equal(rig.journal->device_count, 0);
    }
}

static void what_others_made_or_were_promised_is_left_alone(void **state)
{
    (void)state;
    struct rig rig;
    /* A function without a type that another's definition names is none for us. */
    rig_set_up(&rig, false);
    rig_write_domain_naming(&rig, STRANGER, VF_1);
    rig.consumer = CONSUMER_1;
    assert_int_equal(rig_cycle(&rig, STEP_CREATE_DEVICE), 1);
    expect_function(&rig, VF_1, "0");
    expect_entry(&rig, CONSUMER_1, VF_2);
    rig_tear_down(&rig);
    FOR_BOTH(&rig)
    {
        rig_set_function(&rig, VF_1, TYPE);
        rig_write_domain_naming(&rig, STRANGER, VF_1);
        rig.consumer = CONSUMER_1;
        assert_int_equal(rig_cycle(&rig, STEP_CREATE_DEVICE), 1);
        expect_entry(&rig, CONSUMER_1, VF_2);
        rig.consumer = NULL;
        assert_int_equal(rig_cycle(&rig, STEP_REMOVE_DEVICE), 0);
        assert_int_equal(rig_cycle(&rig, STEP_REMOVE_DEVICE), 1);
        expect_function(&rig, VF_1, TYPE);
        expect_function(&rig, VF_2, "0");
    }
}

static void says_what_is_wrong_with_its_own_cards(void **state)
{
    (void)state;
    struct host *host = xcalloc(1, sizeof *host);
    struct gpu *gpu = host_add_gpu(host, CARD);
    gpu->driver = xstrdup("fake");
    char *remedy = gpu_remedy(gpu);
    assert_string_equal(remedy, "fake");
    free(remedy);
    free(gpu->driver);
    gpu->driver = xstrdup("other");
    char *obstacle = gpu_obstacle(gpu);
    assert_string_equal(obstacle, "its driver other offers no mediated devices");
    free(obstacle);
    host_free(host);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_seen_beside_the_other_kind),
        cmocka_unit_test(is_made_noted_given_to_the_guest_and_released),
        cmocka_unit_test(a_late_release_does_not_take_the_next_owners),
        cmocka_unit_test(what_others_made_or_were_promised_is_left_alone),
        cmocka_unit_test(says_what_is_wrong_with_its_own_cards),
    };
    return cmocka_run_group_tests_name("second_kind", tests, NULL, NULL);
}
