/* What the state file has of devices that have an address, and no uuid that the host knows:
 * after it was lost, after a reboot, and where an address is used again. */
#include "agent/act/plan_execute.h"
#include "agent/backend/backends.h"
#include "agent/backend/mdev.h"
#include "agent/plan/steps/journal_notes.h"
#include "tests/unit/agent/backend/second_kind_rig.h"
#include "tests/unit/test.h"
#include "tests/unit/tree.h"

#include <string.h>

const struct backend *const backends[] = {&fake_kind, &backend_mdev, NULL};

/* Its uuid is nowhere on the host: the domain says whose it is. */
static void is_found_again_without_a_journal(void **state)
{
    (void)state;
    struct rig rig;
    FOR_BOTH(&rig)
    {
        rig_set_function(&rig, VF_2, TYPE);
        rig_write_domain_naming(&rig, CONSUMER_1, VF_2);
        rig.consumer = CONSUMER_1;
        assert_int_equal(rig_cycle(&rig, STEP_CREATE_DEVICE), 0);
        expect_entry(&rig, CONSUMER_1, VF_2);
        assert_true(rig.journal->devices[0].adopted);
        char uuid[UUID_TEXT_SIZE];
        stpcpy(uuid, rig.journal->devices[0].uuid);
        struct sight sight = rig_look(&rig);
        assert_int_equal(plan_status_of(sight.plan, CONSUMER_1)->state,
                         ALLOCATION_READY);
        assert_string_equal(plan_status_of(sight.plan, CONSUMER_1)->devices.items[0],
                            uuid);
        sight_clear(&sight);
    }
}

/* A uuid that was computed for one consumer, and whose device is another's by now, is not
 * given to a second device. */
static void two_devices_do_not_get_one_uuid(void **state)
{
    (void)state;
    struct rig rig;
    FOR_BOTH(&rig)
    {
        rig.consumer = CONSUMER_1;
        assert_int_equal(rig_cycle(&rig, STEP_CREATE_DEVICE), 1);
        rig.consumer = CONSUMER_2; /* gets what nobody names */
        assert_int_equal(rig_cycle(&rig, STEP_HAND_OVER_DEVICE), 1);
        expect_entry(&rig, CONSUMER_2, VF_1);
        /* The first consumer's guest comes with a function of its own. */
        rig_write_domain_naming(&rig, CONSUMER_2, VF_1);
        rig_set_function(&rig, VF_2, TYPE);
        rig_write_domain_naming(&rig, CONSUMER_1, VF_2);
        rig.consumer = CONSUMER_1;
        assert_int_equal(rig_cycle(&rig, STEP_CREATE_DEVICE), 0);
        assert_int_equal(rig.journal->device_count, 2);
        assert_string_equal(
            journal_find_device_at(rig.journal, "fake_vf", VF_1)->consumer, CONSUMER_2);
        assert_string_equal(
            journal_find_device_at(rig.journal, "fake_vf", VF_2)->consumer, CONSUMER_1);
    }
}

/* In nova mode the agent notes what nova-compute has made. */
static void what_nova_made_is_noted_under_uuids_of_its_own(void **state)
{
    (void)state;
    struct rig rig;
    rig_set_up(&rig, true);
    rig.config.agent.mode = MODE_NOVA;
    rig.consumer = CONSUMER_1;
    rig_set_function(&rig, VF_1, TYPE);
    rig_write_domain_naming(&rig, CONSUMER_1, VF_1);
    assert_int_equal(rig_cycle(&rig, STEP_CREATE_DEVICE), 0);
    expect_entry(&rig, CONSUMER_1, VF_1);
    /* Another guest has it by now, and the uuid that was computed for the first. */
    tree_remove(rig.tree, "etc/libvirt/qemu/" CONSUMER_1 ".xml");
    rig_write_domain_naming(&rig, CONSUMER_2, VF_1);
    assert_int_equal(rig_cycle(&rig, STEP_CREATE_DEVICE), 0);
    expect_entry(&rig, CONSUMER_2, VF_1);
    rig_set_function(&rig, VF_2, TYPE);
    rig_set_function(&rig, VF_3, TYPE);
    tree_write(rig.tree, "etc/libvirt/qemu/" CONSUMER_1 ".xml",
               "<domain><uuid>" CONSUMER_1 "</uuid><devices>" //
               HOSTDEV("2") HOSTDEV("3") "</devices></domain>");
    assert_int_equal(rig_cycle(&rig, STEP_CREATE_DEVICE), 0);
    assert_int_equal(rig.journal->device_count, 3);
    for (size_t i = 0; i < FAKE_KIND_FUNCTIONS; i++)
        assert_string_equal(
            journal_find_device_at(rig.journal, "fake_vf", fake_kind_functions[i])
                ->consumer,
            i == 0 ? CONSUMER_2 : CONSUMER_1);
    rig_tear_down(&rig);
}

/* Without Placement, as `restore` does it, and at the address that the guest knows. */
static void a_reboot_gives_it_back(void **state)
{
    (void)state;
    struct rig rig;
    FOR_BOTH(&rig)
    {
        rig_set_function(&rig, VF_1, OTHER_TYPE);
        rig.consumer = CONSUMER_1;
        assert_int_equal(rig_cycle(&rig, STEP_CREATE_DEVICE), 1);
        expect_entry(&rig, CONSUMER_1, VF_2);
        rig_set_function(&rig, VF_2, "0");
        if (!fake_kind_chooses)
            rig_set_function(&rig, VF_1, "0");
        rig.unreachable = true;
        assert_int_equal(rig_cycle(&rig, STEP_CREATE_DEVICE), 1);
        expect_function(&rig, VF_2, TYPE);
        expect_entry(&rig, CONSUMER_1, VF_2);
    }
}

/* The kernel answered after the plan was over: where the device is, is not lost. */
static void a_late_answer_is_noted(void **state)
{
    (void)state;
    struct rig rig;
    rig_set_up(&rig, true);
    rig.consumer = CONSUMER_1;
    struct sight sight = rig_look(&rig);
    for (size_t i = 0; i < sight.plan->step_count; i++)
        plan_note_intention(rig.journal, &sight.plan->steps[i]);
    sight_clear(&sight);
    const struct journal_device *entry = &rig.journal->devices[0];
    assert_string_equal(entry->address, "");
    const struct device_spec device = {.uuid = entry->uuid,
                                       .address = "",
                                       .gpu = CARD,
                                       .parent = CARD,
                                       .type_id = TYPE,
                                       .consumer = CONSUMER_1};
    struct error err = {0};
    struct device_done done;
    assert_ok(device_worker_start(rig.worker, DEVICE_CREATE, &fake_kind, &device, &err),
              &err);
    /* Meanwhile it is neither lost nor to be made again. */
    sight = rig_look(&rig);
    assert_int_equal(plan_count_steps(sight.plan, STEP_CREATE_DEVICE), 0);
    sight_clear(&sight);
    assert_true(device_worker_take(rig.worker, PATIENCE, &done));
    assert_true(late_result_note(&rig.late, rig.journal, &done));
    assert_int_equal(rig.late.count, 0);
    expect_entry(&rig, CONSUMER_1, VF_1);
    sight = rig_look(&rig);
    assert_int_equal(plan_status_of(sight.plan, CONSUMER_1)->state, ALLOCATION_READY);
    sight_clear(&sight);
    rig_tear_down(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_found_again_without_a_journal),
        cmocka_unit_test(two_devices_do_not_get_one_uuid),
        cmocka_unit_test(what_nova_made_is_noted_under_uuids_of_its_own),
        cmocka_unit_test(a_reboot_gives_it_back),
        cmocka_unit_test(a_late_answer_is_noted),
    };
    return cmocka_run_group_tests_name("second_kind_journal", tests, NULL, NULL);
}
