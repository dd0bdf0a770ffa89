/* Whose a name or a device is, while a plan is carried out. */
#include "tests/unit/agent/act/execute_world.h"

/* A name is ours only when our own request has made it. */
static void test_names_that_were_there_are_not_ours(void **state)
{
    (void)state;
    _cleanup_plan_ struct plan *plan = xcalloc(1, sizeof *plan);
    add_step(plan, STEP_CREATE_TRAIT, NULL, NULL)->name = xstrdup("CUSTOM_OURS");
    add_step(plan, STEP_CREATE_CLASS, NULL, NULL)->name = xstrdup("CUSTOM_CLASS");
    _cleanup_run_ struct run run = {0};
    world.names_exist = true;
    execute(&run, plan);
    assert_int_equal(run.journal->made_traits.count, 0);
    assert_int_equal(run.journal->made_classes.count, 0);
    execution_free(run.execution);
    world.names_exist = false;
    execute(&run, plan);
    assert_true(strlist_contains(&run.journal->made_traits, "CUSTOM_OURS"));
    assert_true(strlist_contains(&run.journal->made_classes, "CUSTOM_CLASS"));
    /* Somebody else was first to make the trait anew. A class is asked for with each
     * inventory. */
    execution_free(run.execution);
    world.names_exist = true;
    execute(&run, plan);
    assert_int_equal(run.journal->made_traits.count, 0);
    assert_true(strlist_contains(&run.journal->made_classes, "CUSTOM_CLASS"));
}

/* A device that libvirt may just be giving to a guest is not touched; all else is
 * done. */
static void test_what_a_guest_may_get_is_left(void **state)
{
    (void)state;
    _cleanup_plan_ struct plan *plan = make_plan();
    _cleanup_run_ struct run run = {0};
    world.holds = DEVICE_1;
    execute(&run, plan);
    assert_int_equal(run.execution->outcomes[STEP_DONE], OPERATIONS - 1);
    assert_int_equal(run.execution->outcomes[STEP_FAILED], 1);
    const struct step_result *result = &run.execution->results[FIRST_OF_GPU_2 - 1];
    assert_int_equal(result->code, ERROR_BUSY);
    assert_non_null(strstr(result->reason, "may just be given to a guest"));
    assert_false(strlist_contains(&world.operations, "remove nvidia-35 on " GPU_1));
    assert_true(strlist_contains(&world.operations, "remove nvidia-35 on " GPU_2));
    assert_non_null(journal_find_device(run.journal, DEVICE_1));
}

#define FUNCTION "0000:41:00.4"
#define OTHER_CONSUMER "00000000-0000-0000-0000-0000000000cc"

/* All are noted for CONSUMER: the first at the address of a function, which is lost; the
 * others are to be another consumer's. */
static void note_all(struct journal *journal, const struct plan *plan)
{
    for (size_t i = 0; i < plan->step_count; i++) {
        struct journal_device entry = plan->steps[i].device; /* borrows */
        uuid_parse_text(CONSUMER, entry.consumer);
        journal_put_device(journal, &entry);
    }
}

static struct plan *make_plan_of_notes(void)
{
    struct plan *plan = xcalloc(1, sizeof *plan);
    add_device_step(plan, STEP_FORGET_DEVICE, GPU_1, PROVIDER_1, DEVICE_1);
    strcpy(plan->steps[0].device.address, FUNCTION);
    /* An idle one that somebody had prepared, which the consumer was given. */
    plan->steps[0].device.adopted = true;
    add_device_step(plan, STEP_TAKE_DEVICE, GPU_2, PROVIDER_2, DEVICE_2);
    uuid_parse_text(OTHER_CONSUMER, plan->steps[1].device.consumer);
    add_device_step(plan, STEP_CREATE_DEVICE, GPU_2, PROVIDER_2, DEVICE_3);
    uuid_parse_text(OTHER_CONSUMER, plan->steps[2].device.consumer);
    return plan;
}

/* By the state file alone, too, no device goes to another consumer, nor does the name or
 * the address of one, that a guest may just be getting. */
static void test_what_a_guest_may_get_stays_noted(void **state)
{
    static const char *const held[] = {FUNCTION, DEVICE_2, DEVICE_3};
    for (size_t i = 0; i < 3; i++) {
        _cleanup_plan_ struct plan *plan = make_plan_of_notes();
        _cleanup_run_ struct run run = {.journal = journal_new()};
        note_all(run.journal, plan);
        world.holds = held[i];
        world.taken_back = 3;
        execute(&run, plan);
        for (size_t j = 0; j < 3; j++)
            assert_int_equal(run.execution->results[j].outcome,
                             i == j ? STEP_FAILED : STEP_DONE);
        assert_int_equal(run.execution->results[i].code, ERROR_BUSY);
        assert_int_equal(journal_find_device(run.journal, DEVICE_1) != NULL, i == 0);
        assert_string_equal(journal_find_device(run.journal, DEVICE_2)->consumer,
                            i == 1 ? CONSUMER : OTHER_CONSUMER);
        assert_string_equal(journal_find_device(run.journal, DEVICE_3)->consumer,
                            i == 2 ? CONSUMER : OTHER_CONSUMER);
        tear_down(state);
        set_up(state);
    }
}

/* A device that somebody else made and that a reboot removed is to be made again. When
 * its maker makes it first, it stays the maker's. */
static void test_a_foreign_device_that_its_maker_puts_back(void **state)
{
    for (int faster = 0; faster < 2; faster++) {
        _cleanup_plan_ struct plan *plan = xcalloc(1, sizeof *plan);
        add_device_step(plan, STEP_CREATE_DEVICE, GPU_1, PROVIDER_1, DEVICE_1);
        _cleanup_run_ struct run run = {.journal = journal_new(), .unsaved = true};
        struct journal_device entry = journal_device_copy(&plan->steps[0].device);
        entry.adopted = true;
        journal_put_device(run.journal, &entry);
        journal_device_clear(&entry);
        world.existing = faster ? DEVICE_1 : NULL;
        world.expects_adopted = true;
        execute(&run, plan);
        assert_int_equal(run.execution->outcomes[STEP_DONE], 1);
        assert_int_equal(journal_find_device(run.journal, DEVICE_1)->adopted, faster);
        expect_on_disk(faster ? "\"adopted\":true" : "\"adopted\":false");
        tear_down(state);
        set_up(state);
    }
}

static struct plan *plan_of_removals(int64_t units)
{
    struct plan *plan = xcalloc(1, sizeof *plan);
    add_device_step(plan, STEP_REMOVE_DEVICE, GPU_1, PROVIDER_1, DEVICE_1);
    add_device_step(plan, STEP_REMOVE_DEVICE, GPU_1, PROVIDER_1, DEVICE_2);
    for (size_t i = 0; i < plan->step_count; i++) {
        uuid_parse_text(PROVIDER_1, plan->steps[i].provider);
        plan->steps[i].units = units;
    }
    return plan;
}

static struct journal *journal_of(const struct plan *plan)
{
    struct journal *journal = journal_new();
    for (size_t i = 0; i < plan->step_count; i++)
        journal_put_device(journal, &plan->steps[i].device);
    return journal;
}

/* Between the plan and a removal the consumer got an allocation again. */
static void test_4_an_allocation_that_stands_again(void **state)
{
    static const struct {
        int64_t decided, now;
        size_t removed;
    } cases[] = {{0, 0, 2}, {0, 1, 0}, {1, 1, 2}, {1, 2, 0}, {2, 1, 2}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        _cleanup_plan_ struct plan *plan = plan_of_removals(cases[i].decided);
        _cleanup_run_ struct run run = {.journal = journal_of(plan), .unsaved = true};
        world.allocated = cases[i].now;
        execute(&run, plan);
        assert_int_equal(run.execution->outcomes[STEP_DONE], cases[i].removed);
        assert_int_equal(run.execution->outcomes[STEP_SKIPPED], 2 - cases[i].removed);
        assert_int_equal(run.execution->look_again, cases[i].removed == 0);
        if (cases[i].removed == 0)
            assert_non_null(strstr(run.execution->results[0].reason, CONSUMER));
        assert_string_equal(world.operations.items[0], "allocations 1");
        tear_down(state);
        set_up(state);
    }
}

static void test_4_placement_does_not_answer(void **state)
{
    (void)state;
    _cleanup_plan_ struct plan *plan = plan_of_removals(0);
    _cleanup_run_ struct run run = {.journal = journal_of(plan), .unsaved = true};
    world.fail_at = 1;
    world.fail_with = ERROR_UNREACHABLE;
    execute(&run, plan);
    assert_int_equal(world.operations.count, 1);
    assert_int_equal(run.execution->outcomes[STEP_FAILED], 1);
    assert_int_equal(run.execution->outcomes[STEP_SKIPPED], 1);
}

static void test_4_the_provider_has_gone(void **state)
{
    (void)state;
    _cleanup_plan_ struct plan *plan = plan_of_removals(0);
    _cleanup_run_ struct run run = {.journal = journal_of(plan), .unsaved = true};
    world.fail_at = 1;
    world.fail_with = ERROR_NOT_FOUND;
    execute(&run, plan);
    assert_int_equal(run.execution->results[0].outcome, STEP_SKIPPED);
    assert_int_equal(run.execution->results[1].outcome, STEP_DONE);
    assert_true(run.execution->look_again);
}

/* ---- handing over ---- */

#define NEXT "00000000-0000-0000-0000-00000000000e"

/* DEVICE_1 and DEVICE_2 are CONSUMER's; DEVICE_1 is to be handed to NEXT. */
static struct plan *plan_of_handing_over(struct run *run)
{
    struct plan *plan = xcalloc(1, sizeof *plan);
    add_device_step(plan, STEP_HAND_OVER_DEVICE, GPU_1, PROVIDER_1, DEVICE_1);
    add_device_step(plan, STEP_CREATE_DEVICE, GPU_1, PROVIDER_1, DEVICE_2);
    run->journal = journal_of(plan);
    run->unsaved = true;
    uuid_parse_text(NEXT, plan->steps[0].device.consumer);
    return plan;
}

static const char *owner_of(const struct run *run, const char *uuid)
{
    return journal_find_device(run->journal, uuid)->consumer;
}

static void test_a_device_is_noted_as_the_next_ones_once_it_is_cleared(void **state)
{
    (void)state;
    _cleanup_run_ struct run run = {0};
    _cleanup_plan_ struct plan *plan = plan_of_handing_over(&run);
    execute(&run, plan);
    assert_string_equal(world.operations.items[0], "clear nvidia-35 on " GPU_1);
    assert_int_equal(run.execution->outcomes[STEP_DONE], 2);
    assert_string_equal(owner_of(&run, DEVICE_1), NEXT);
    expect_on_disk(NEXT);
}

static void test_a_device_that_is_not_cleared_stays_whose_it_was(void **state)
{
    (void)state;
    _cleanup_run_ struct run run = {0};
    _cleanup_plan_ struct plan *plan = plan_of_handing_over(&run);
    world.fail_at = 1;
    world.fail_with = ERROR_BUSY;
    execute(&run, plan);
    assert_int_equal(run.execution->results[0].outcome, STEP_FAILED);
    assert_string_equal(owner_of(&run, DEVICE_1), CONSUMER);
    /* The operations on other devices go on, and the next plan finds another device. */
    assert_int_equal(run.execution->results[1].outcome, STEP_DONE);
    assert_true(run.execution->look_again);
}

/* Interrupted before the driver has answered, as by a crash: the state file still has
 * the device as the former consumer's, so that the next plan clears it again. */
static void test_a_clearing_without_an_answer_changes_nothing(void **state)
{
    (void)state;
    _cleanup_run_ struct run run = {0};
    _cleanup_plan_ struct plan *plan = plan_of_handing_over(&run);
    world.held = DEVICE_1;
    execute(&run, plan);
    assert_int_equal(run.execution->results[0].outcome, STEP_UNDER_WAY);
    assert_true(run.execution->look_again);
    _cleanup_(journal_freep) struct journal *disk = NULL;
    _cleanup_free_ char *note = NULL;
    struct error err = {0};
    assert_ok(journal_look(world.journal_path, "", &disk, &note, &err), &err);
    assert_string_equal(journal_find_device(disk, DEVICE_1)->consumer, CONSUMER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_names_that_were_there_are_not_ours),
        TEST(test_what_a_guest_may_get_is_left),
        TEST(test_what_a_guest_may_get_stays_noted),
        TEST(test_a_foreign_device_that_its_maker_puts_back),
        TEST(test_4_an_allocation_that_stands_again),
        TEST(test_4_placement_does_not_answer),
        TEST(test_4_the_provider_has_gone),
        TEST(test_a_device_is_noted_as_the_next_ones_once_it_is_cleared),
        TEST(test_a_device_that_is_not_cleared_stays_whose_it_was),
        TEST(test_a_clearing_without_an_answer_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
