/* Which job comes when. */
#include "agent/attach/watched.h"
#include "tests/unit/agent/attach/watcher_rig.h"

/* ---- events ---- */

static void a_guest_is_given_its_devices_when_it_is_defined(void **state)
{
    (void)state;
    connect_with("");
    assert_news("all");
    give_table(1, "1:ab");
    assert_news("state 1 0 0");
    event(ONE, OCCASION_DEFINED);
    assert_news("");
    assert_job(ONE, OCCASION_DEFINED, "ab");
    assert_no_job();
    done(ONE, "off", "", "ab");
    assert_news("guest 1, state 1 1 0");
    event(ONE, OCCASION_STARTED);
    assert_job(ONE, OCCASION_STARTED, "ab");
    done(ONE, "run", "ab", "ab");
    assert_news("guest 1, state 1 2 0");
    assert_no_job();
    assert_int_equal(watcher_wake_at(watcher), -1);
}

static void events_during_a_job_make_one_more(void **state)
{
    (void)state;
    connect_with("");
    give_table(1, "1:a");
    event(ONE, OCCASION_DEFINED);
    assert_job(ONE, OCCASION_DEFINED, "a");
    event(ONE, OCCASION_STARTED);
    event(ONE, OCCASION_DEFINED);
    event(ONE, OCCASION_CHANGED);
    assert_no_job();
    done(ONE, "run", "", "a");
    assert_job(ONE, OCCASION_STARTED, "a");
    assert_no_job();
    done(ONE, "run", "a", "a");
    assert_no_job();
}

static void no_guest_waits_for_anothers_job(void **state)
{
    (void)state;
    connect_with("");
    give_table(1, "1:a 2:b");
    event(ONE, OCCASION_DEFINED);
    assert_job(ONE, OCCASION_DEFINED, "a");
    event(TWO, OCCASION_DEFINED);
    assert_job(TWO, OCCASION_DEFINED, "b");
    assert_no_job();
}

/* Hundreds of looks after a reconnection are not before a guest that starts. */
static void a_definition_goes_before_mere_looks(void **state)
{
    (void)state;
    connect_with("13456");
    give_table(1, "2:b");
    event(SERVER(3), OCCASION_CHANGED);
    event(TWO, OCCASION_DEFINED);
    assert_job(TWO, OCCASION_DEFINED, "b");
    assert_job(ONE, OCCASION_LOOK, "");
}

/* ---- questions ---- */

static void asks_at_the_event_for_what_the_table_lacks(void **state)
{
    (void)state;
    connect_with("");
    give_table(1, "1:a");
    assert_news("state 1 0 0, all");
    event(ONE, OCCASION_DEFINED);
    event(TWO, OCCASION_DEFINED);
    assert_news("ask 2");
    event(TWO, OCCASION_CHANGED);
    assert_news("");
    event(TWO, OCCASION_STARTED);
    assert_news("ask 2");
    event(TWO, OCCASION_RESTORED);
    assert_news("ask 2");
}

static void asks_nothing_before_there_is_a_table(void **state)
{
    (void)state;
    watcher_free(watcher);
    watcher = watcher_new();
    connect_with("12");
    assert_news("");
    give_table(1, "1:a");
    assert_news("ask 2, doubt 1 1");
}

/* It may be older than what this program has seen. */
static void the_first_table_is_doubtful(void **state)
{
    (void)state;
    watcher_free(watcher);
    watcher = watcher_new();
    give_table(7, "1:a 2:b");
    connect_with("1");
    assert_job(ONE, OCCASION_CHANGED, "");
    done(ONE, "off", "", "");
    assert_news("doubt 1 1, guest 1, state 1 3 0, state 2 0 0, all");
    event(TWO, OCCASION_DEFINED);
    assert_news("doubt 2 2");
    assert_job(TWO, OCCASION_CHANGED, "");
    watcher_sure(watcher, ONE, 1, 0, now);
    assert_job(ONE, OCCASION_LOOK, "a");
    watcher_sure(watcher, TWO, 2, 0, now);
    done(TWO, "off", "", "");
    assert_job(TWO, OCCASION_DEFINED, "b");
    give_table(8, "1:a 2:b 3:c");
    event(SERVER(3), OCCASION_DEFINED);
    assert_job(SERVER(3), OCCASION_DEFINED, "c");
}

static void asks_once_for_what_it_has_found(void **state)
{
    (void)state;
    give_table(1, "");
    connect_with("12");
    assert_news("ask 1, ask 2");
    watcher_disconnected(watcher);
    connect_with("123");
    assert_news("ask 3");
}

/* A resize changes the allocations just before the domain is stopped, or before it is
 * defined again. */
static void what_was_stopped_is_given_nothing_before_the_table_is_sure(void **state)
{
    (void)state;
    connect_with("");
    give_table(1, "1:a");
    event(ONE, OCCASION_STARTED);
    assert_job(ONE, OCCASION_STARTED, "a");
    done(ONE, "run", "a", "a");
    event(ONE, OCCASION_STOPPED);
    assert_job(ONE, OCCASION_CHANGED, "");
    done(ONE, "off", "", "a");
    event(ONE, OCCASION_STOPPED);
    assert_job(ONE, OCCASION_CHANGED, "");
    struct settle_result gone = {.gone = true};
    watcher_done(watcher, ONE, &gone, now);
    assert_news("early 1 1, gone 1, state 1 0 0, all");
    event(ONE, OCCASION_DEFINED);
    assert_news("doubt 1 2");
    assert_job(ONE, OCCASION_CHANGED, "");
    done(ONE, "off", "", "");
    assert_no_job();
    /* The new table is not the answer: it may have been made before. */
    give_table(2, "1:b");
    assert_job(ONE, OCCASION_CHANGED, "");
    done(ONE, "off", "", "");
    event(ONE, OCCASION_STARTED);
    assert_job(ONE, OCCASION_CHANGED, "");
    done(ONE, "run", "", "");
    assert_no_job();
    watcher_sure(watcher, ONE, 7, 0, now);
    watcher_sure(watcher, ONE, 1, 0, now);
    assert_no_job();
    watcher_sure(watcher, ONE, 2, 0, now);
    assert_job(ONE, OCCASION_STARTED, "b");
    done(ONE, "run", "b", "b");
    assert_no_job();
}

/* The agent's own change of the configuration is a definition to libvirt. */
static void its_own_attach_is_asked_for_once(void **state)
{
    (void)state;
    connect_with("");
    give_table(1, "1:a");
    event(ONE, OCCASION_DEFINED);
    assert_news("state 1 0 0, all");
    assert_job(ONE, OCCASION_DEFINED, "a");
    event(ONE, OCCASION_DEFINED);
    done(ONE, "off", "", "a");
    assert_news("doubt 1 1, guest 1, state 1 1 0");
    assert_job(ONE, OCCASION_CHANGED, "");
    done(ONE, "off", "", "a");
    watcher_sure(watcher, ONE, 1, 0, now);
    assert_job(ONE, OCCASION_DEFINED, "a");
    done(ONE, "off", "", "a"); /* nothing was to be done, so that no event follows */
    assert_no_job();
    assert_news("");
    assert_int_equal(watcher_wake_at(watcher), -1);
}

static void an_answer_from_before_the_stop_does_not_count(void **state)
{
    (void)state;
    connect_with("");
    give_table(1, "1:a");
    event(ONE, OCCASION_STOPPED);
    event(ONE, OCCASION_DEFINED);
    assert_news("doubt 1 1, state 1 0 0, all");
    event(ONE, OCCASION_STOPPED);
    event(ONE, OCCASION_DEFINED);
    assert_news("doubt 1 2");
    watcher_sure(watcher, ONE, 1, 0, now);
    assert_job(ONE, OCCASION_CHANGED, "");
    done(ONE, "off", "", "");
    assert_no_job();
    watcher_sure(watcher, ONE, 2, 0, now);
    assert_job(ONE, OCCASION_DEFINED, "a");
}

static void after_a_reconnection_the_table_is_doubtful(void **state)
{
    (void)state;
    connect_with("1");
    give_table(1, "1:a");
    assert_job(ONE, OCCASION_LOOK, "a");
    done(ONE, "run", "a", "a");
    watcher_disconnected(watcher);
    connect_with("1");
    assert_job(ONE, OCCASION_CHANGED, "");
    done(ONE, "off", "", "");
    assert_news("doubt 1 1, guest 1, state 1 3 0, all");
    watcher_sure(watcher, ONE, 1, 0, now);
    assert_job(ONE, OCCASION_LOOK, "a");
}

static int64_t next_took(void)
{
    struct watcher_news news;
    int64_t took = -2;
    while (watcher_next_news(watcher, now, &news))
        if (news.kind == NEWS_STATE)
            took = news.took;
    return took;
}

static void how_long_the_devices_took_is_told_once(void **state)
{
    (void)state;
    connect_with("");
    give_table(1, "1:a 2:b");
    event(ONE, OCCASION_DEFINED);
    event(TWO, OCCASION_DEFINED);
    assert_job(ONE, OCCASION_DEFINED, "a");
    assert_job(TWO, OCCASION_DEFINED, "b");
    assert_int_equal(next_took(), -1);
    now += 7;
    done(ONE, "off", "", "a");
    assert_int_equal(next_took(), 7);
    /* The start came first. */
    event(TWO, OCCASION_STARTED);
    done(TWO, "run", "", "b");
    assert_int_equal(next_took(), -1);
    assert_job(TWO, OCCASION_STARTED, "b");
    done(TWO, "run", "b", "b");
    assert_int_equal(next_took(), -1);
}

/* A start can take longer than libvirt waits for it. */
static void a_busy_guest_fails_only_when_that_lasts(void **state)
{
    (void)state;
    connect_with("1");
    give_table(1, "1:a");
    for (int i = 0; i < 3; i++) {
        if (i == 0)
            assert_job(ONE, OCCASION_LOOK, "a");
        else
            assert_job_after(1000 << (i - 1), ONE, OCCASION_LOOK, "a");
        struct settle_result result = result_of(ONE, "run", "", "");
        (void)error_set(&result.reason, ERROR_TIMEOUT, "busy");
        result.busy = true;
        watcher_done(watcher, ONE, &result, now);
        assert_news(i == 0   ? "guest 1, state 1 3 0, all"
                    : i == 1 ? ""
                             : "state 1 6 0 busy");
    }
}

static void the_answer_settles_the_guest(void **state)
{
    (void)state;
    connect_with("");
    give_table(1, "");
    event(ONE, OCCASION_DEFINED);
    assert_job(ONE, OCCASION_DEFINED, "");
    done(ONE, "off", "", "");
    assert_no_job();
    give_table(2, "1:a");
    assert_job(ONE, OCCASION_LOOK, "a");
}

/* ---- the grace after a restore ---- */

static void a_restored_guest_waits_for_nova(void **state)
{
    (void)state;
    connect_with("");
    give_table(1, "1:a");
    event(ONE, OCCASION_RESTORED);
    assert_job(ONE, OCCASION_CHANGED, "");
    done(ONE, "run", "", "a");
    assert_job_after(WATCH_GRACE, ONE, OCCASION_RESTORED, "a");
}

static void nothing_is_live_during_the_grace(void **state)
{
    (void)state;
    connect_with("");
    give_table(1, "1:a");
    event(ONE, OCCASION_RESTORED);
    assert_job(ONE, OCCASION_CHANGED, "");
    done(ONE, "run", "", "");
    give_table(2, "1:ab");
    assert_job(ONE, OCCASION_DEFINED, "ab");
    done(ONE, "run", "", "");
    event(ONE, OCCASION_DEFINED);
    assert_job(ONE, OCCASION_DEFINED, "ab");
    done_failed(ONE, "run", "", "", "no");
    assert_job_after(WATCH_GRACE, ONE, OCCASION_RESTORED, "ab");
    done(ONE, "run", "ab", "ab");
    assert_no_job();
    assert_int_equal(watcher_wake_at(watcher), -1);
}

static void a_start_ends_the_grace(void **state)
{
    (void)state;
    connect_with("");
    give_table(1, "1:a");
    event(ONE, OCCASION_RESTORED);
    now += 10;
    event(ONE, OCCASION_STARTED);
    assert_job(ONE, OCCASION_STARTED, "a");
    done(ONE, "run", "a", "a");
    assert_int_equal(watcher_wake_at(watcher), -1);
}

/* A guest that was booted and then restored, behind one long job. */
static void of_two_starts_the_later_one_counts(void **state)
{
    (void)state;
    connect_with("");
    give_table(1, "1:a");
    event(ONE, OCCASION_DEFINED);
    assert_job(ONE, OCCASION_DEFINED, "a");
    event(ONE, OCCASION_STARTED);
    event(ONE, OCCASION_RESTORED);
    done(ONE, "run", "", "a");
    assert_job(ONE, OCCASION_DEFINED, "a");
    done(ONE, "run", "", "a");
    assert_job_after(WATCH_GRACE, ONE, OCCASION_RESTORED, "a");
}

/* ---- what has no event to come ---- */

static void a_guest_whose_start_was_not_seen_is_healed(void **state)
{
    (void)state;
    connect_with("1");
    give_table(1, "1:a");
    assert_job(ONE, OCCASION_LOOK, "a");
    done(ONE, "run", "", "a");
    assert_news("guest 1, state 1 4 0, all");
    assert_job_after(WATCH_GRACE, ONE, OCCASION_RESTORED, "a");
}

/* Nova's time is not shortened by what is tried again. */
static void nor_sooner_for_a_failure(void **state)
{
    (void)state;
    connect_with("1");
    give_table(1, "1:a");
    assert_job(ONE, OCCASION_LOOK, "a");
    done(ONE, "run", "", "a");
    now += 5000;
    give_table(2, "1:ab");
    assert_job(ONE, OCCASION_LOOK, "ab");
    done_failed(ONE, "run", "", "a", "no");
    assert_job_after(WATCH_GRACE - 5000, ONE, OCCASION_RESTORED, "ab");
}

static void also_while_further_devices_are_to_come(void **state)
{
    (void)state;
    struct wanted_table table = {.serial = 1};
    add_wanted(wanted_table_add(&table, ONE), "a");
    connect_with("1");
    watcher_take_table(watcher, &table, now);
    assert_job(ONE, OCCASION_LOOK, "a");
    done(ONE, "run", "", "a");
    assert_job_after(WATCH_GRACE, ONE, OCCASION_RESTORED, "a");
}

static void a_device_that_was_taken_out_of_a_run_stays_out(void **state)
{
    (void)state;
    connect_with("");
    give_table(1, "1:a");
    event(ONE, OCCASION_STARTED);
    assert_job(ONE, OCCASION_STARTED, "a");
    done(ONE, "run", "a", "a");
    event(ONE, OCCASION_CHANGED); /* Nova suspends */
    assert_job(ONE, OCCASION_CHANGED, "");
    done(ONE, "run", "", "a");
    assert_no_job();
    assert_int_equal(watcher_wake_at(watcher), -1);
    event(ONE, OCCASION_STARTED);
    assert_job(ONE, OCCASION_STARTED, "a");
    done(ONE, "run", "", "a");
    assert_int_equal(watcher_wake_at(watcher), now + WATCH_GRACE);
}

/* One device was refused and is tried again; meanwhile Nova has detached the other. */
static void nor_does_a_repetition_put_it_back(void **state)
{
    (void)state;
    connect_with("");
    give_table(1, "1:ab");
    event(ONE, OCCASION_STARTED);
    assert_job(ONE, OCCASION_STARTED, "ab");
    done_failed(ONE, "run", "a", "ab", "no");
    event(ONE, OCCASION_CHANGED);
    assert_job(ONE, OCCASION_CHANGED, "");
    done(ONE, "run", "", "ab");
    assert_job_after(WATCH_PAUSE_LEAST, ONE, OCCASION_LOOK, "ab");
}

static void what_no_occasion_allows_for_is_done_after_a_time(void **state)
{
    (void)state;
    connect_with("");
    give_table(1, "1:a");
    event(ONE, OCCASION_DEFINED);
    assert_job(ONE, OCCASION_DEFINED, "a");
    done(ONE, "run", "", "");
    assert_job_after(WATCH_GRACE, ONE, OCCASION_RESTORED, "a");
    done(ONE, "run", "a", "a");
    event(ONE, OCCASION_CHANGED);
    assert_job(ONE, OCCASION_CHANGED, "");
    done(ONE, "off", "", "");
    assert_job_after(WATCH_GRACE, ONE, OCCASION_RESTORED, "a");
}

/* ---- failures ---- */

static void a_failure_is_repeated_with_growing_pauses(void **state)
{
    (void)state;
    connect_with("");
    give_table(1, "1:a");
    assert_news("state 1 0 0, all");
    event(ONE, OCCASION_STARTED);
    assert_job(ONE, OCCASION_STARTED, "a");
    static const int64_t pauses[] = {1, 2, 4, 8, 16, 32, 60, 60};
    for (size_t i = 0; i < sizeof pauses / sizeof *pauses; i++) {
        done_failed(ONE, "run", "", "a", i < 4 ? "timed out" : "no");
        if (i == 0)
            assert_news("guest 1, state 1 6 0 timed out");
        else if (i == 4) /* other words, the same state since 15 s */
            assert_news("state 1 6 15000 no");
        else
            assert_news("");
        assert_job_after(pauses[i] * 1000, ONE, OCCASION_STARTED, "a");
    }
    done(ONE, "run", "a", "a");
    assert_news("guest 1, state 1 2 0");
    assert_int_equal(watcher_wake_at(watcher), -1);
    event(ONE, OCCASION_DEFINED);
    assert_job(ONE, OCCASION_DEFINED, "a");
    done_failed(ONE, "run", "a", "a", "no");
    assert_int_equal(watcher_wake_at(watcher), now + 1000);
}

static void a_new_start_is_tried_at_once(void **state)
{
    (void)state;
    connect_with("");
    give_table(1, "1:a");
    event(ONE, OCCASION_STARTED);
    for (int i = 0; i < 5; i++) {
        assert_job(ONE, OCCASION_STARTED, "a");
        done_failed(ONE, "run", "", "a", "no");
        event(ONE, OCCASION_STARTED);
    }
    assert_job(ONE, OCCASION_STARTED, "a");
    done_failed(ONE, "run", "", "a", "no");
    assert_int_equal(watcher_wake_at(watcher), now + 1000);
}

/* A look between two attempts shows no more than before. */
static void a_look_does_not_end_a_failure(void **state)
{
    (void)state;
    connect_with("");
    give_table(1, "1:a");
    event(ONE, OCCASION_STARTED);
    assert_job(ONE, OCCASION_STARTED, "a");
    done_failed(ONE, "run", "", "a", "no");
    assert_news("guest 1, state 1 6 0 no, all");
    event(ONE, OCCASION_CHANGED);
    assert_job(ONE, OCCASION_CHANGED, "");
    done(ONE, "run", "", "a");
    assert_news("");
    assert_job_after(1000, ONE, OCCASION_STARTED, "a");
}

static void no_port_is_not_repeated_before_the_next_start(void **state)
{
    (void)state;
    connect_with("");
    give_table(1, "1:a");
    event(ONE, OCCASION_STARTED);
    assert_job(ONE, OCCASION_STARTED, "a");
    struct settle_result result = result_of(ONE, "run", "", "a");
    result.no_port = true;
    watcher_done(watcher, ONE, &result, now);
    assert_news("guest 1, state 1 5 0, all");
    assert_no_job();
    assert_int_equal(watcher_wake_at(watcher), -1);
    _cleanup_settle_job_ struct settle_job look, start;
    event(ONE, OCCASION_DEFINED);
    assert_true(watcher_next_job(watcher, now, &look));
    assert_true(look.no_port);
    event(ONE, OCCASION_STARTED);
    result = result_of(ONE, "run", "", "a");
    result.no_port = true; /* of the run before */
    watcher_done(watcher, ONE, &result, now);
    assert_true(watcher_next_job(watcher, now, &start));
    assert_false(start.no_port);
}

static void an_unreachable_connection_is_no_failure_of_the_guest(void **state)
{
    (void)state;
    connect_with("");
    give_table(1, "1:a");
    event(ONE, OCCASION_STARTED);
    assert_job(ONE, OCCASION_STARTED, "a");
    done(ONE, "run", "a", "a");
    assert_news("guest 1, state 1 2 0, all");
    event(ONE, OCCASION_DEFINED);
    assert_job(ONE, OCCASION_DEFINED, "a");
    struct settle_result result = {.unreachable = true, .state = GUEST_FAILED};
    (void)error_set(&result.reason, ERROR_UNREACHABLE, "broken pipe");
    watcher_done(watcher, ONE, &result, now);
    assert_news("");
    assert_job_after(1000, ONE, OCCASION_DEFINED, "a");
}

/* ---- tables ---- */

static void only_guests_whose_entry_has_changed_are_settled(void **state)
{
    (void)state;
    connect_with("123");
    give_table(1, "1:a 2:b 3:c");
    for (int i = 0; i < 3; i++) {
        _cleanup_settle_job_ struct settle_job job;
        assert_true(watcher_next_job(watcher, now, &job));
        char letter[] = {(char)('a' + job.domain[0] - '1'), 0};
        done(job.domain, "run", letter, letter);
    }
    assert_no_job();
    give_table(2, "1:a 2:bd");
    assert_job(TWO, OCCASION_LOOK, "bd");
    assert_job(SERVER(3), OCCASION_CHANGED, "");
    assert_no_job();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WATCHER_TEST(a_guest_is_given_its_devices_when_it_is_defined),
        WATCHER_TEST(events_during_a_job_make_one_more),
        WATCHER_TEST(no_guest_waits_for_anothers_job),
        WATCHER_TEST(a_definition_goes_before_mere_looks),
        WATCHER_TEST(asks_at_the_event_for_what_the_table_lacks),
        WATCHER_TEST(asks_nothing_before_there_is_a_table),
        WATCHER_TEST(the_first_table_is_doubtful),
        WATCHER_TEST(asks_once_for_what_it_has_found),
        WATCHER_TEST(what_was_stopped_is_given_nothing_before_the_table_is_sure),
        WATCHER_TEST(its_own_attach_is_asked_for_once),
        WATCHER_TEST(an_answer_from_before_the_stop_does_not_count),
        WATCHER_TEST(after_a_reconnection_the_table_is_doubtful),
        WATCHER_TEST(how_long_the_devices_took_is_told_once),
        WATCHER_TEST(a_busy_guest_fails_only_when_that_lasts),
        WATCHER_TEST(the_answer_settles_the_guest),
        WATCHER_TEST(a_restored_guest_waits_for_nova),
        WATCHER_TEST(nothing_is_live_during_the_grace),
        WATCHER_TEST(a_start_ends_the_grace),
        WATCHER_TEST(of_two_starts_the_later_one_counts),
        WATCHER_TEST(a_guest_whose_start_was_not_seen_is_healed),
        WATCHER_TEST(nor_sooner_for_a_failure),
        WATCHER_TEST(also_while_further_devices_are_to_come),
        WATCHER_TEST(a_device_that_was_taken_out_of_a_run_stays_out),
        WATCHER_TEST(nor_does_a_repetition_put_it_back),
        WATCHER_TEST(what_no_occasion_allows_for_is_done_after_a_time),
        WATCHER_TEST(a_failure_is_repeated_with_growing_pauses),
        WATCHER_TEST(a_new_start_is_tried_at_once),
        WATCHER_TEST(a_look_does_not_end_a_failure),
        WATCHER_TEST(no_port_is_not_repeated_before_the_next_start),
        WATCHER_TEST(an_unreachable_connection_is_no_failure_of_the_guest),
        WATCHER_TEST(only_guests_whose_entry_has_changed_are_settled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
