/* What ends a budget, and that it stays ended. */
#include "tests/unit/test.h"

#include <sys/socket.h>
#include <unistd.h>

#include "placement/server/message/budget.h"

static void ends_with_its_work(void **state)
{
    (void)state;
    struct budget budget;
    budget_begin(&budget, BUDGET_WORK, 0, 0, NULL);
    assert_true(budget_spend(&budget, BUDGET_WORK - 1));
    /* What is not counted goes on. */
    assert_true(budget_pass(&budget, BUDGET_WORK));
    assert_false(budget_spend(&budget, 1));
    assert_int_equal(budget.end, BUDGET_WORK_DONE);
    assert_false(budget_spend(&budget, 0));
    assert_false(budget_pass(&budget, 0));
    assert_false(budget_take_memory(&budget, 0));
}

/* Whoever asks for the most has it some times, and then what the seconds bring; what is
 * asked in earnest it has always. */
static void is_shared(void **state)
{
    (void)state;
    struct budget_pool pool = {0};
    struct budget budget;
    int64_t now = 1700000000;
    for (int i = 0; i < 6; i++) {
        uint64_t work = budget_pool_offer(&pool, now);
        assert_true(i < 4 ? work == BUDGET_WORK : work < BUDGET_WORK / 2);
        budget_begin(&budget, work, 0, 0, NULL);
        assert_true(budget_spend(&budget, work - 1));
        assert_false(budget_spend(&budget, 1));
        budget_charge(&budget, 0, &pool);
    }
    assert_in_range(budget_pool_offer(&pool, now), BUDGET_WORK_ALWAYS,
                    BUDGET_WORK_ALWAYS + 10);
    now -= 5; /* the clock was set */
    assert_in_range(budget_pool_offer(&pool, now), BUDGET_WORK_ALWAYS,
                    BUDGET_WORK_ALWAYS + 10);
    assert_in_range(budget_pool_offer(&pool, now + 1), BUDGET_SHARED_PER_SECOND,
                    BUDGET_SHARED_PER_SECOND + BUDGET_WORK_ALWAYS + 10);
    assert_int_equal(budget_pool_offer(&pool, now + 100), BUDGET_WORK);
    assert_int_equal(budget_pool_offer(&pool, INT64_MAX), BUDGET_WORK);
    /* What is asked in earnest takes nothing from it. */
    pool.used = BUDGET_SHARED;
    budget_begin(&budget, budget_pool_offer(&pool, INT64_MAX), 0, 0, NULL);
    assert_true(budget_spend(&budget, BUDGET_WORK_ALWAYS - 1));
    budget_charge(&budget, 0, &pool);
    assert_int_equal(pool.used, BUDGET_SHARED);
}

/* A client that went is charged for what it had. */
static void is_charged_for_what_was_done(void **state)
{
    (void)state;
    struct budget_pool pool = {0};
    struct budget budget;
    int pair[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    close(pair[1]);
    budget_begin(&budget, BUDGET_WORK, 0, 0, &pair[0]);
    while (budget_spend(&budget, 1000))
        continue;
    assert_int_equal(budget.end, BUDGET_CLIENT_GONE);
    budget_charge(&budget, 0, &pool);
    assert_int_equal(pool.used, 0);
    budget_charge(&budget, 2 * BUDGET_SHARED, &pool); /* it can have no more */
    assert_int_equal(pool.used, BUDGET_SHARED);
    close(pair[0]);
}

static void ends_with_its_time(void **state)
{
    (void)state;
    struct budget budget;
    budget_begin(&budget, BUDGET_WORK, 0.001, 0, NULL);
    while (budget_pass(&budget, 1000))
        continue;
    assert_int_equal(budget.end, BUDGET_TIME_OVER);
    assert_false(budget_spend(&budget, 1));
}

static void ends_with_its_memory(void **state)
{
    (void)state;
    struct budget budget;
    budget_begin(&budget, BUDGET_WORK, 0, 100, NULL);
    assert_true(budget_take_memory(&budget, 60));
    assert_true(budget_take_memory(&budget, 40));
    assert_false(budget_take_memory(&budget, 1));
    assert_int_equal(budget.end, BUDGET_MEMORY_USED);
    assert_false(budget_spend(&budget, 1));
}

static void ends_when_the_client_goes(void **state)
{
    (void)state;
    struct budget budget;
    int pair[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    budget_begin(&budget, BUDGET_WORK, 0, 0, &pair[0]);
    /* What it has sent since does not matter. */
    assert_int_equal(write(pair[1], "x", 1), 1);
    assert_true(budget_pass(&budget, BUDGET_WORK));
    close(pair[1]);
    assert_false(budget_pass(&budget, BUDGET_WORK));
    assert_int_equal(budget.end, BUDGET_CLIENT_GONE);
    close(pair[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ends_with_its_work),
        cmocka_unit_test(ends_with_its_time),
        cmocka_unit_test(ends_with_its_memory),
        cmocka_unit_test(ends_when_the_client_goes),
        cmocka_unit_test(is_shared),
        cmocka_unit_test(is_charged_for_what_was_done),
    };
    return cmocka_run_group_tests_name("budget", tests, NULL, NULL);
}
