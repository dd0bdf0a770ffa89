/* All steps of a plan: in their order, and what becomes of the others when one fails. */
#include "tests/unit/agent/act/execute_world.h"

static void test_all_in_order(void **state)
{
    (void)state;
    _cleanup_plan_ struct plan *plan = make_plan();
    _cleanup_run_ struct run run = {0};
    execute(&run, plan);
    assert_int_equal(run.execution->outcomes[STEP_DONE], OPERATIONS);
    assert_false(run.execution->look_again);
    assert_false(run.unsaved);
    expect_on_disk("\"made_traits\":[\"CUSTOM_OURS\"]");
    assert_string_equal(world.operations.items[0], "trait CUSTOM_OURS");
    static const char *const of_gpu_1[] = {
        "provider " GPU_1 " below " ROOT, "inventory 1 at 0",           "traits 1 at 1",
        "create nvidia-35 on " GPU_1,     "remove nvidia-35 on " GPU_1,
    };
    size_t seen = 0;
    for (size_t i = 0; i < world.operations.count && seen < 5; i++)
        seen += strcmp(world.operations.items[i], of_gpu_1[seen]) == 0;
    assert_int_equal(seen, 5);
    /* Both devices were made and removed again. */
    assert_int_equal(run.journal->device_count, 0);
    assert_int_equal(run.journal->provider_count, 2);
}

static bool is_of_gpu_1(size_t step)
{
    return step >= FIRST_OF_GPU_1 && step < FIRST_OF_GPU_2;
}

/* Whichever operation fails: the steps before it are done, the later steps of its GPU
 * are skipped unless it was a step on a single device, and the other GPU has all of its
 * steps done. */
static void test_nth_fails(void **state)
{
    for (unsigned n = 1; n <= OPERATIONS; n++) {
        _cleanup_plan_ struct plan *plan = make_plan();
        _cleanup_run_ struct run run = {0};
        world.fail_at = n;
        world.fail_with = n % 2 ? ERROR_CONFLICT : ERROR_IO;
        execute(&run, plan);
        size_t failed = 0;
        while (failed < OPERATIONS &&
               run.execution->results[failed].outcome != STEP_FAILED)
            failed++;
        assert_in_range(failed, 0, OPERATIONS - 1);
        assert_int_equal(run.execution->results[failed].code, world.fail_with);
        for (size_t i = 0; i < OPERATIONS; i++) {
            bool left_out = failed > 0 && i > failed &&
                            is_of_gpu_1(i) == is_of_gpu_1(failed) &&
                            !plan->steps[failed].device.uuid[0];
            assert_int_equal(run.execution->results[i].outcome,
                             i == failed ? STEP_FAILED
                             : left_out  ? STEP_SKIPPED
                                         : STEP_DONE);
        }
        assert_int_equal(run.execution->look_again, n % 2);
        tear_down(state);
        set_up(state);
    }
}

static void test_root_first(void **state)
{
    (void)state;
    _cleanup_plan_ struct plan *plan = make_plan();
    plan->steps[0].kind = STEP_CREATE_ROOT;
    plan->steps[0].provider_name = xstrdup("root");
    _cleanup_run_ struct run run = {0};
    world.fail_at = 1;
    world.fail_with = ERROR_FORBIDDEN;
    execute(&run, plan);
    assert_int_equal(run.execution->outcomes[STEP_FAILED], 1);
    assert_int_equal(run.execution->outcomes[STEP_SKIPPED], OPERATIONS - 1);
    assert_int_equal(world.operations.count, 1);
}

static void test_kernel_does_not_answer(void **state)
{
    (void)state;
    _cleanup_plan_ struct plan *plan = make_plan();
    _cleanup_run_ struct run run = {0};
    world.held = DEVICE_1;
    execute(&run, plan);
    const struct step_result *results = run.execution->results;
    assert_int_equal(results[FIRST_OF_GPU_1 + 3].outcome, STEP_UNDER_WAY);
    assert_int_equal(results[FIRST_OF_GPU_1 + 4].outcome, STEP_SKIPPED);
    assert_int_equal(run.execution->outcomes[STEP_DONE], OPERATIONS - 2);
    /* The journal has the device as the agent's all the same. */
    assert_non_null(journal_find_device(run.journal, DEVICE_1));
}

static void test_late_result_asks_for_another_look(void **state)
{
    (void)state;
    _cleanup_plan_ struct plan *plan = make_plan();
    _cleanup_run_ struct run run = {0};
    struct device_done *done = &world.done[world.done_count++];
    uuid_parse_text(CONSUMER, done->uuid);
    error_set_(&done->error, ERROR_IO, "no luck");
    execute(&run, plan);
    assert_int_equal(run.execution->outcomes[STEP_DONE], OPERATIONS);
    assert_true(run.execution->look_again);
    assert_int_equal(run.late.count, 1);
    assert_non_null(strstr(run.late.items[0], "no luck"));
}

static void test_no_journal_no_acts(void **state)
{
    (void)state;
    _cleanup_plan_ struct plan *plan = make_plan();
    _cleanup_run_ struct run run = {0};
    char *path = world.journal_path;
    world.journal_path = xasprintf("%s/none/state.json", world.folder);
    execute(&run, plan);
    assert_int_equal(world.operations.count, 0);
    assert_int_equal(run.execution->outcomes[STEP_FAILED], OPERATIONS);
    assert_true(run.unsaved);
    free(world.journal_path);
    world.journal_path = path;
}

static void test_stops_between_steps(void **state)
{
    for (unsigned n = 1; n < OPERATIONS; n++) {
        _cleanup_plan_ struct plan *plan = make_plan();
        _cleanup_run_ struct run run = {0};
        world.stop_after = n;
        execute(&run, plan);
        assert_int_equal(world.operations.count, n);
        assert_int_equal(run.execution->outcomes[STEP_FAILED], 0);
        assert_true(run.execution->outcomes[STEP_DONE] <= n);
        assert_true(run.execution->outcomes[STEP_SKIPPED] >= OPERATIONS - 1 - n);
        tear_down(state);
        set_up(state);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_all_in_order),
        TEST(test_nth_fails),
        TEST(test_root_first),
        TEST(test_kernel_does_not_answer),
        TEST(test_late_result_asks_for_another_look),
        TEST(test_no_journal_no_acts),
        TEST(test_stops_between_steps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
