#include "agent/daemon/attach_holds.h"

#include "tests/unit/test.h"

#define CONSUMER "00000000-0000-4000-8000-0000000000c1"
#define A "00000000-0000-4000-8000-00000000000a"
#define B "00000000-0000-4000-8000-00000000000b"

static void send(struct attach_holds *holds, uint64_t serial, const char *first,
                 const char *second, struct wanted_table *table)
{
    *table = (struct wanted_table){.serial = serial};
    const char *const addresses[] = {first, second};
    struct wanted *wanted = wanted_table_add(table, CONSUMER);
    for (int i = 0; i < 2; i++)
        if (addresses[i])
            wanted_add_device(wanted, addresses[i], "<hostdev/>");
    attach_holds_sent(holds, table, (int64_t)serial * 10);
}

static void what_was_sent_is_held_until_the_program_lets_it_go(void **state)
{
    (void)state;
    _cleanup_(attach_holds_clear) struct attach_holds holds = {0};
    _cleanup_wanted_table_ struct wanted_table both, one;
    _cleanup_strlist_ struct strlist busy = {0};
    assert_false(attach_holds_has(&holds, A, 0));
    send(&holds, 1, A, B, &both);
    attach_holds_answered(&holds, 1, &busy, &both);
    assert_false(attach_holds_waits(&holds, 0, 10));
    assert_true(attach_holds_has(&holds, A, 0));
    send(&holds, 2, B, NULL, &one);
    assert_true(attach_holds_waits(&holds, 0, 20));
    /* An answer to the table before says nothing. */
    attach_holds_answered(&holds, 1, &busy, &one);
    assert_true(attach_holds_has(&holds, A, 0));
    strlist_add(&busy, A);
    attach_holds_answered(&holds, 2, &busy, &one);
    assert_true(attach_holds_has(&holds, A, 0));
    strlist_clear(&busy);
    attach_holds_answered(&holds, 2, &busy, &one);
    assert_false(attach_holds_has(&holds, A, 0));
    assert_true(attach_holds_has(&holds, B, 0));
}

static void it_waits_since_the_first_table_without_an_answer(void **state)
{
    (void)state;
    _cleanup_(attach_holds_clear) struct attach_holds holds = {0};
    _cleanup_wanted_table_ struct wanted_table first, second, third;
    _cleanup_strlist_ struct strlist busy = {0};
    send(&holds, 1, A, NULL, &first);
    send(&holds, 2, B, NULL, &second);
    assert_true(attach_holds_waits(&holds, 30, 40));
    assert_false(attach_holds_waits(&holds, 30, 39));
    attach_holds_answered(&holds, 2, &busy, &second);
    send(&holds, 3, A, NULL, &third);
    assert_false(attach_holds_waits(&holds, 30, 40));
    attach_holds_lost(&holds, true, 50);
    assert_false(attach_holds_waits(&holds, 30, 100));
}

static void a_program_that_ends_leaves_doubt(void **state)
{
    (void)state;
    _cleanup_(attach_holds_clear) struct attach_holds holds = {0};
    _cleanup_wanted_table_ struct wanted_table table, none;
    _cleanup_strlist_ struct strlist busy = {0};
    send(&holds, 1, A, NULL, &table);
    attach_holds_lost(&holds, true, 100);
    assert_true(attach_holds_has(&holds, A, 1000000));
    assert_false(attach_holds_has(&holds, B, 100));
    send(&holds, 2, NULL, NULL, &none);
    attach_holds_answered(&holds, 2, &busy, &none);
    assert_true(attach_holds_has(&holds, A, 1000000));
    attach_holds_seen_all(&holds, 200);
    assert_true(attach_holds_has(&holds, A, 200 + HOLDS_AFTER_VIEW - 1));
    assert_false(attach_holds_has(&holds, A, 200 + HOLDS_AFTER_VIEW));
    /* A later doubt does not bring the first one back. */
    attach_holds_lost(&holds, true, 1000);
    assert_false(attach_holds_has(&holds, A, 1000));
}

static void without_another_program_doubt_ends_by_itself(void **state)
{
    (void)state;
    _cleanup_(attach_holds_clear) struct attach_holds holds = {0};
    _cleanup_wanted_table_ struct wanted_table table;
    send(&holds, 1, A, NULL, &table);
    /* One was to come, until the configuration was changed. */
    attach_holds_lost(&holds, true, 90);
    attach_holds_lost(&holds, false, 100);
    assert_true(attach_holds_has(&holds, A, 100 + HOLDS_WITHOUT_VIEW - 1));
    assert_false(attach_holds_any(&holds, 100 + HOLDS_WITHOUT_VIEW));
}

static void after_a_crash_it_may_be_any_device(void **state)
{
    (void)state;
    _cleanup_(attach_holds_clear) struct attach_holds holds = {0};
    attach_holds_crashed(&holds, 100 + HOLDS_WITHOUT_VIEW);
    assert_true(attach_holds_has(&holds, B, 100 + HOLDS_WITHOUT_VIEW - 1));
    assert_false(attach_holds_has(&holds, B, 100 + HOLDS_WITHOUT_VIEW));
    attach_holds_seen_all(&holds, 110);
    assert_true(attach_holds_has(&holds, B, 110 + HOLDS_AFTER_VIEW - 1));
    assert_false(attach_holds_has(&holds, B, 110 + HOLDS_AFTER_VIEW));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_sent_is_held_until_the_program_lets_it_go),
        cmocka_unit_test(it_waits_since_the_first_table_without_an_answer),
        cmocka_unit_test(a_program_that_ends_leaves_doubt),
        cmocka_unit_test(without_another_program_doubt_ends_by_itself),
        cmocka_unit_test(after_a_crash_it_may_be_any_device),
    };
    return cmocka_run_group_tests_name("attach_holds", tests, NULL, NULL);
}
