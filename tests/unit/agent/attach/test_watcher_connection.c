/* What a watcher knows of domains that go and of connections that are lost, and what it
 * holds. */
#include "agent/attach/lingering.h"
#include "agent/attach/watched.h"
#include "tests/unit/agent/attach/watcher_rig.h"

/* ---- the domain is gone ---- */

static void a_domain_that_is_gone_is_told_so(void **state)
{
    (void)state;
    connect_with("1");
    give_table(1, "1:a");
    assert_job(ONE, OCCASION_LOOK, "a");
    done(ONE, "run", "a", "a");
    assert_news("guest 1, state 1 2 0, all");
    event(ONE, OCCASION_CHANGED);
    assert_job(ONE, OCCASION_CHANGED, "");
    struct settle_result result = {.gone = true};
    watcher_done(watcher, ONE, &result, now);
    assert_news("gone 1, state 1 0 0");
    assert_no_job();
    give_table(2, "");
    assert_news("");
}

static void a_domain_that_comes_back_is_not_forgotten(void **state)
{
    (void)state;
    connect_with("1");
    give_table(1, "1:a");
    assert_job(ONE, OCCASION_LOOK, "a");
    event(ONE, OCCASION_DEFINED);
    struct settle_result result = {.gone = true};
    watcher_done(watcher, ONE, &result, now);
    assert_news("doubt 1 1, gone 1");
    watcher_sure(watcher, ONE, 1, 0, now);
    assert_job(ONE, OCCASION_DEFINED, "a");
    done(ONE, "off", "", "a");
    assert_news("guest 1, state 1 1 0, all");
}

/* It was gone when the job looked, and was restored since. */
static void a_domain_that_comes_back_keeps_its_grace(void **state)
{
    (void)state;
    connect_with("1");
    give_table(1, "1:a");
    assert_job(ONE, OCCASION_LOOK, "a");
    event(ONE, OCCASION_RESTORED);
    struct settle_result result = {.gone = true};
    watcher_done(watcher, ONE, &result, now);
    assert_job(ONE, OCCASION_CHANGED, "");
    done(ONE, "run", "", "");
    assert_job_after(WATCH_GRACE, ONE, OCCASION_RESTORED, "a");
}

/* ---- the connection ---- */

static void after_a_disconnection_all_is_looked_at_again(void **state)
{
    (void)state;
    connect_with("12");
    give_table(1, "1:a");
    assert_job(ONE, OCCASION_LOOK, "a");
    done(ONE, "run", "a", "a");
    assert_job(TWO, OCCASION_LOOK, "");
    assert_news("ask 2, guest 1, state 1 2 0");
    done(TWO, "run", "", "");
    assert_news("guest 2, all");
    event(TWO, OCCASION_DEFINED);
    watcher_disconnected(watcher);
    assert_no_job();
    assert_news("");
    now += 5000;
    connect_with("1");
    assert_news("gone 2");
    assert_job(ONE, OCCASION_CHANGED, "");
    assert_no_job();
    done(ONE, "run", "a", "a");
    /* it stands so since before */
    assert_news("doubt 1 1, guest 1, state 1 2 5000, all");
}

static void an_event_that_is_younger_than_the_list_counts(void **state)
{
    (void)state;
    give_table(1, "1:a 2:b");
    event(ONE, OCCASION_DEFINED);
    event(TWO, OCCASION_STARTED);
    assert_no_job();
    connect_with("2");
    assert_news("doubt 2 1");
    assert_job(ONE, OCCASION_DEFINED, "a");
    watcher_sure(watcher, TWO, 1, 0, now);
    assert_job(TWO, OCCASION_STARTED, "b");
    done(TWO, "run", "b", "b");
    assert_news("guest 2, state 2 2 0");
    done(ONE, "off", "", "a");
    assert_news("guest 1, state 1 1 0, all");
}

static void a_domain_that_cannot_be_looked_at_is_unknown(void **state)
{
    (void)state;
    connect_with("1");
    assert_job(ONE, OCCASION_LOOK, "");
    struct settle_result result = {.state = GUEST_FAILED};
    (void)error_set(&result.reason, ERROR_IO, "no XML");
    watcher_done(watcher, ONE, &result, now);
    assert_news("ask 1");
    assert_job_after(1000, ONE, OCCASION_LOOK, "");
    done(ONE, "off", "", "");
    assert_news("guest 1, all");
}

static void the_result_of_an_old_connection_counts_for_nothing(void **state)
{
    (void)state;
    connect_with("1");
    give_table(1, "1:a");
    assert_job(ONE, OCCASION_LOOK, "a");
    watcher_disconnected(watcher);
    connect_with("1");
    assert_no_job();
    done(ONE, "run", "a", "a");
    assert_news("");
    assert_job(ONE, OCCASION_CHANGED, "");
    done(ONE, "off", "", "a");
    assert_news("doubt 1 1, guest 1, state 1 1 0, all");
}

/* ---- what may still be attached ---- */

static void a_job_keeps_what_it_may_attach(void **state)
{
    (void)state;
    connect_with("12");
    assert_busy(1, "");
    give_table(1, "1:ab 2:c");
    assert_job(ONE, OCCASION_LOOK, "ab");
    assert_job(TWO, OCCASION_LOOK, "c");
    assert_busy(1, "");
    give_table(2, "1:a");
    assert_busy(2, "bc");
    done(TWO, "off", "", "c");
    assert_busy(2, "b");
    watcher_disconnected(watcher);
    assert_busy(2, "b");
    connect_with("12");
    assert_busy(2, "b");
    done(ONE, "off", "", "ab");
    assert_busy(2, "");
}

/* Another consumer's entry does not make it free. */
static void a_device_under_another_name_is_still_busy(void **state)
{
    (void)state;
    connect_with("1");
    give_table(1, "1:a");
    assert_job(ONE, OCCASION_LOOK, "a");
    give_table(2, "2:a");
    assert_busy(2, "a");
}

static void a_look_keeps_nothing(void **state)
{
    (void)state;
    connect_with("");
    give_table(1, "1:a");
    event(ONE, OCCASION_CHANGED);
    assert_job(ONE, OCCASION_CHANGED, "");
    give_table(2, "");
    assert_busy(2, "");
}

static void done_uncertain(const char *domain, char letter)
{
    char address[DEVICE_ADDRESS_SIZE];
    struct settle_result result = {.unreachable = true, .state = GUEST_FAILED};
    (void)error_set(&result.reason, ERROR_UNREACHABLE, "broken pipe");
    strlist_add(&result.uncertain, device_address(letter, address));
    watcher_done(watcher, domain, &result, now);
}

static void a_call_without_a_reply_lingers(void **state)
{
    (void)state;
    connect_with("12");
    give_table(1, "1:ab");
    assert_job(ONE, OCCASION_LOOK, "ab");
    assert_job(TWO, OCCASION_LOOK, "");
    done_uncertain(ONE, 'a');
    give_table(2, "");
    assert_busy(2, "a");
    watcher_disconnected(watcher);
    now += 1000000; /* libvirtd was stopped */
    assert_no_job();
    assert_busy(2, "a");
    connect_with("1");
    done(TWO, "off", "", "");
    assert_job(ONE, OCCASION_LOOK, "");
    now += 1000000; /* not all was looked at */
    assert_no_job();
    assert_busy(2, "a");
    done(ONE, "off", "", "");
    assert_int_equal(watcher_wake_at(watcher), now + LINGERING_TIME);
    now += LINGERING_TIME - 1;
    assert_no_job();
    assert_busy(2, "a");
    now++;
    assert_no_job();
    assert_busy(2, "");
    assert_int_equal(watcher_wake_at(watcher), -1);
}

static void a_disconnection_stops_the_time_of_what_lingers(void **state)
{
    (void)state;
    connect_with("1");
    give_table(1, "1:a");
    assert_job(ONE, OCCASION_LOOK, "a");
    done(ONE, "off", "", "");
    event(ONE, OCCASION_STARTED);
    assert_job(ONE, OCCASION_STARTED, "a");
    done_uncertain(ONE, 'a');
    assert_busy(1, ""); /* it is to have it */
    give_table(2, "");
    assert_busy(2, "a");
    now += LINGERING_TIME - 1;
    watcher_disconnected(watcher);
    now += LINGERING_TIME;
    assert_no_job();
    assert_busy(2, "a");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WATCHER_TEST(a_domain_that_is_gone_is_told_so),
        WATCHER_TEST(a_domain_that_comes_back_is_not_forgotten),
        WATCHER_TEST(a_domain_that_comes_back_keeps_its_grace),
        WATCHER_TEST(after_a_disconnection_all_is_looked_at_again),
        WATCHER_TEST(an_event_that_is_younger_than_the_list_counts),
        WATCHER_TEST(a_domain_that_cannot_be_looked_at_is_unknown),
        WATCHER_TEST(the_result_of_an_old_connection_counts_for_nothing),
        WATCHER_TEST(a_job_keeps_what_it_may_attach),
        WATCHER_TEST(a_device_under_another_name_is_still_busy),
        WATCHER_TEST(a_look_keeps_nothing),
        WATCHER_TEST(a_call_without_a_reply_lingers),
        WATCHER_TEST(a_disconnection_stops_the_time_of_what_lingers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
