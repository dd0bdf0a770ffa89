/* What ends a budget, and that it stays ended. */
#include "tests/unit/test.h"

#include <sys/socket.h>
#include <unistd.h>

#include "placement/server/message/budget.h"

static void ends_with_its_work(void **state)
{
    (void)state;
    struct budget budget;
    budget_begin(&budget, 0, 0, NULL);
    assert_true(budget_spend(&budget, BUDGET_WORK - 1));
    /* What is not counted goes on. */
    assert_true(budget_pass(&budget, BUDGET_WORK));
    assert_false(budget_spend(&budget, 1));
    assert_int_equal(budget.end, BUDGET_WORK_DONE);
    assert_false(budget_spend(&budget, 0));
    assert_false(budget_pass(&budget, 0));
    assert_false(budget_take_memory(&budget, 0));
}

static void ends_with_its_time(void **state)
{
    (void)state;
    struct budget budget;
    budget_begin(&budget, 0.001, 0, NULL);
    while (budget_pass(&budget, 1000))
        continue;
    assert_int_equal(budget.end, BUDGET_TIME_OVER);
    assert_false(budget_spend(&budget, 1));
}

static void ends_with_its_memory(void **state)
{
    (void)state;
    struct budget budget;
    budget_begin(&budget, 0, 100, NULL);
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
    budget_begin(&budget, 0, 0, &pair[0]);
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
    };
    return cmocka_run_group_tests_name("budget", tests, NULL, NULL);
}
