#include "agent/attach/doubt.h"

#include "tests/unit/test.h"

/* A guest that was created, runs, and was known to be as the table says. */
static struct doubt running(void)
{
    struct doubt doubt = DOUBT_NONE;
    doubt_define(&doubt, false, 5, 1000);
    doubt_define(&doubt, true, 6, 1040);
    assert_int_equal(doubt.life, 5);
    assert_false(doubt.doubts);
    return doubt;
}

static void ask_early(struct doubt *doubt, uint64_t number, int64_t at)
{
    assert_in_range(doubt_early_at(doubt, false), 0, at);
    doubt_ask_early(doubt, number, at);
    assert_int_equal(doubt_early_at(doubt, false), -1);
}

static void an_early_answer_counts_for_its_time(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        int64_t lasts, defined; /* milliseconds from the question */
        bool counts;
    } rows[] = {
        {"a revert that may still come", 0, 1, false},
        {"a rebuild", 1000, 900, true},
        {"one that takes long", 1000, 1001, false},
        {"a resize", 60000, 9000, true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct doubt doubt = running();
        doubt_stop(&doubt, 2000);
        assert_true(doubt.doubts);
        ask_early(&doubt, 7, 2000);
        assert_true(doubt_answered(&doubt, 7, rows[i].lasts, 2300));
        assert_true(doubt.doubts); /* until it is defined */
        doubt_define(&doubt, false, 9, 2000 + rows[i].defined);
        assert_int_equal(doubt.life, 9);
        if (doubt.doubts == rows[i].counts || doubt.verifies != rows[i].counts)
            fail_msg("%s", rows[i].what);
    }
}

/* Placement was asked in time, and answers after the definition. */
static void an_early_answer_may_come_late(void **state)
{
    (void)state;
    struct doubt doubt = running();
    doubt_stop(&doubt, 2000);
    ask_early(&doubt, 7, 2000);
    doubt_define(&doubt, false, 9, 2300);
    assert_true(doubt.doubts);
    doubt.number = 8;
    assert_true(doubt_answered(&doubt, 7, 1000, 2700));
    assert_false(doubt.doubts);
    assert_false(doubt.verifies); /* that is under way */

    doubt = running();
    doubt_stop(&doubt, 2000);
    ask_early(&doubt, 7, 2000);
    doubt_define(&doubt, false, 9, 3300);
    doubt.number = 8;
    assert_true(doubt_answered(&doubt, 7, 1000, 3400));
    assert_true(doubt.doubts);
    assert_true(doubt_answered(&doubt, 8, 0, 3500));
    assert_false(doubt.doubts);
}

static void a_stop_ends_what_was_asked_before(void **state)
{
    (void)state;
    struct doubt doubt = running();
    doubt_stop(&doubt, 2000);
    ask_early(&doubt, 7, 2000);
    doubt_stop(&doubt, 2010);
    assert_false(doubt_answered(&doubt, 7, 60000, 2100));
    ask_early(&doubt, 8, 2010);
    assert_true(doubt_answered(&doubt, 8, 60000, 2100));
    doubt_stop(&doubt, 2110);
    doubt_define(&doubt, false, 9, 2120);
    assert_true(doubt.doubts);
}

/* Its allocations may change between the question and the definition: so also what was
 * asked for another reason while it was shut off. */
static void what_was_asked_before_the_definition_does_not_end_a_doubt(void **state)
{
    (void)state;
    struct doubt doubt = running();
    doubt_stop(&doubt, 2000);
    doubt.number = 7;
    assert_true(doubt_answered(&doubt, 7, 0, 2100));
    assert_false(doubt.doubts);
    doubt_define(&doubt, false, 9, 90000);
    assert_true(doubt.doubts);
    assert_int_equal(doubt.number, 0);

    doubt = DOUBT_NONE;
    doubt.life = 3;
    doubt_begin(&doubt);
    doubt.number = 7;
    doubt_define(&doubt, false, 9, 2000);
    assert_false(doubt_answered(&doubt, 7, 0, 2100));
    assert_true(doubt.doubts);
}

static void a_start_without_a_definition_is_always_asked_for(void **state)
{
    (void)state;
    struct doubt doubt = running();
    doubt_stop(&doubt, 2000);
    ask_early(&doubt, 7, 2000);
    assert_true(doubt_answered(&doubt, 7, 60000, 2010));
    doubt_define(&doubt, true, 9, 2020);
    assert_true(doubt.doubts);
}

static void settle(struct doubt *doubt, uint64_t number)
{
    doubt->verifies = false;
    doubt->number = number;
    assert_true(doubt_answered(doubt, number, 0, 0));
    assert_false(doubt->doubts);
}

/* Nova neither destroys nor undefines a guest that is off, so that there is no stop before
 * the definition of a resize. */
static void each_definition_of_a_guest_that_is_off_is_doubted(void **state)
{
    (void)state;
    /* It was found shut off at a connection. */
    struct doubt doubt = DOUBT_NONE;
    doubt_connect(&doubt, 5);
    doubt_begin(&doubt);
    settle(&doubt, 7);
    doubt_define(&doubt, false, 6, 90000);
    assert_true(doubt.doubts);
    assert_int_equal(doubt.life, 5);
    assert_int_equal(doubt.number, 0);

    /* It was stopped, resized, and is resized again. */
    doubt = running();
    doubt_stop(&doubt, 2000);
    doubt_define(&doubt, false, 9, 90000);
    assert_true(doubt.doubts);
    settle(&doubt, 7);
    doubt_define(&doubt, false, 10, 180000);
    assert_true(doubt.doubts);
    assert_int_equal(doubt.life, 9);
    /* What was asked after the first definition does not settle the next. */
    doubt.number = 8;
    doubt_define(&doubt, false, 11, 180100);
    assert_false(doubt_answered(&doubt, 8, 0, 180200));
    assert_true(doubt.doubts);
    settle(&doubt, 9);
    doubt_define(&doubt, true, 12, 181000);
    doubt_define(&doubt, false, 13, 182000);
    assert_false(doubt.doubts);
}

/* A rebuild, or the agent's own change of the configuration. */
static void an_early_answer_counts_for_each_definition_in_its_time(void **state)
{
    (void)state;
    struct doubt doubt = running();
    doubt_stop(&doubt, 2000);
    ask_early(&doubt, 7, 2000);
    assert_true(doubt_answered(&doubt, 7, 1000, 2300));
    doubt_define(&doubt, false, 9, 2400);
    settle(&doubt, 8);
    doubt_define(&doubt, false, 10, 2500);
    assert_false(doubt.doubts);
    assert_true(doubt.verifies);
    doubt_define(&doubt, false, 11, 3001);
    assert_true(doubt.doubts);
}

static void a_guest_that_was_found_running_has_started(void **state)
{
    (void)state;
    struct doubt doubt = DOUBT_NONE;
    doubt_connect(&doubt, 5);
    doubt_see_running(&doubt, 4);
    assert_false(doubt.started);
    doubt_see_running(&doubt, 5);
    doubt_define(&doubt, false, 6, 2000);
    assert_false(doubt.doubts);
    doubt_stop(&doubt, 3000);
    doubt_see_running(&doubt, 5); /* the look was before the stop */
    assert_false(doubt.started);
}

static int64_t count_questions(bool present, int64_t took)
{
    struct doubt doubt = running();
    int64_t count = 0;
    doubt_stop(&doubt, 2000);
    for (int64_t now = 2000; now < 400000; now += 10) {
        int64_t at = doubt_early_at(&doubt, present);
        if (at >= 0 && at <= now) {
            doubt_ask_early(&doubt, (uint64_t)(10 + count++), now);
            now += took;
            (void)doubt_answered(&doubt, doubt.early, 0, now);
        }
    }
    return count;
}

static void nobody_asks_without_end(void **state)
{
    (void)state;
    assert_int_equal(count_questions(true, 5), 1);
    assert_in_range(count_questions(false, 5), 260, 290);
    /* A slow Placement is not asked all the time. */
    assert_in_range(count_questions(false, 1000), 55, 61);
    struct doubt doubt = running();
    doubt_stop(&doubt, 2000);
    doubt_define(&doubt, false, 9, 2050);
    assert_int_equal(doubt_early_at(&doubt, false), -1);
}

static void a_connection_ends_what_is_known(void **state)
{
    (void)state;
    struct doubt doubt = running();
    doubt_stop(&doubt, 2000);
    ask_early(&doubt, 7, 2000);
    assert_true(doubt_answered(&doubt, 7, 60000, 2010));
    doubt_disconnect(&doubt);
    assert_int_equal(doubt.life, 0);
    doubt_connect(&doubt, 9);
    assert_int_equal(doubt.life, 9);
    doubt_define(&doubt, false, 10, 2050);
    assert_true(doubt.doubts);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_early_answer_counts_for_its_time),
        cmocka_unit_test(an_early_answer_may_come_late),
        cmocka_unit_test(a_stop_ends_what_was_asked_before),
        cmocka_unit_test(what_was_asked_before_the_definition_does_not_end_a_doubt),
        cmocka_unit_test(a_start_without_a_definition_is_always_asked_for),
        cmocka_unit_test(each_definition_of_a_guest_that_is_off_is_doubted),
        cmocka_unit_test(an_early_answer_counts_for_each_definition_in_its_time),
        cmocka_unit_test(a_guest_that_was_found_running_has_started),
        cmocka_unit_test(nobody_asks_without_end),
        cmocka_unit_test(a_connection_ends_what_is_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
