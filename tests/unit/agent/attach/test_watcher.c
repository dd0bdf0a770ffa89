/* Which job comes when, and what the daemon is told. */
#include "agent/attach/watcher.h"

#include <string.h>

#include "agent/attach/lingering.h"
#include "agent/attach/watched.h"
#include "lib/buffer.h"
#include "tests/unit/agent/attach/devices.h"
#include "tests/unit/test.h"

#define ONE SERVER(1)
#define TWO SERVER(2)

static struct watcher *watcher;
static int64_t now;

static int set_up(void **state)
{
    (void)state;
    watcher = watcher_new();
    now = 1000000;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    watcher_free(watcher);
    return 0;
}

/* ---- in: `domains` and `table` are texts such as "1 2" and "1:ab 2:c+" ---- */

static void connect_with(const char *digits)
{
    _cleanup_strlist_ struct strlist domains = {0};
    for (; *digits; digits++) {
        char uuid[] = ONE;
        uuid[0] = *digits;
        strlist_add(&domains, uuid);
    }
    watcher_connected(watcher, &domains, now);
}

static void give_table(uint64_t serial, const char *text)
{
    struct wanted_table table = {.serial = serial, .ours = device_list("abcdef")};
    _cleanup_strlist_ struct strlist words = strlist_split(text, ' ');
    for (size_t i = 0; *text && i < words.count; i++) {
        char uuid[] = ONE;
        uuid[0] = words.items[i][0];
        struct wanted *wanted = wanted_table_add(&table, uuid);
        wanted->whole = true;
        add_wanted(wanted, words.items[i] + 2);
    }
    wanted_table_sort(&table);
    watcher_take_table(watcher, &table, now);
    assert_int_equal(table.count, 0);
}

static void event(const char *domain, enum occasion occasion)
{
    watcher_event(watcher, domain, occasion, now);
}

static struct settle_result result_of(const char *domain, const char *how,
                                      const char *live, const char *configured)
{
    return (struct settle_result){.guest = make_guest(domain, how, live, configured)};
}

static void done(const char *domain, const char *how, const char *live,
                 const char *configured)
{
    struct settle_result result = result_of(domain, how, live, configured);
    watcher_done(watcher, domain, &result, now);
}

static void done_failed(const char *domain, const char *how, const char *live,
                        const char *configured, const char *words)
{
    struct settle_result result = result_of(domain, how, live, configured);
    (void)error_set(&result.reason, ERROR_IO, "%s", words);
    watcher_done(watcher, domain, &result, now);
}

/* ---- out ---- */

static void assert_no_job(void)
{
    struct settle_job job;
    if (watcher_next_job(watcher, now, &job))
        fail_msg("an unexpected job of %s, occasion %d", job.domain, (int)job.occasion);
}

static void assert_job(const char *domain, enum occasion occasion, const char *wanted)
{
    _cleanup_settle_job_ struct settle_job job;
    assert_true(watcher_next_job(watcher, now, &job));
    assert_string_equal(job.domain, domain);
    assert_int_equal(job.occasion, occasion);
    _cleanup_strlist_ struct strlist list = {0};
    for (size_t i = 0; i < job.wanted.count; i++)
        strlist_add(&list, job.wanted.devices[i].address);
    char letters[27];
    assert_string_equal(device_letters(&list, letters), wanted);
}

/* The next job comes after so many milliseconds. */
static void assert_job_after(int64_t time, const char *domain, enum occasion occasion,
                             const char *wanted)
{
    assert_no_job();
    assert_int_equal(watcher_wake_at(watcher), now + time);
    now += time - 1;
    assert_no_job();
    now++;
    assert_job(domain, occasion, wanted);
}

/* "ask 1", "gone 1", "guest 1", "state 1 3 0 words" (since so many ms), "all" */
static void assert_news(const char *expected)
{
    struct buffer text = {0};
    struct watcher_news news;
    while (watcher_next_news(watcher, &news)) {
        static const char *const kinds[] = {[NEWS_ASK] = "ask",
                                            [NEWS_GUEST] = "guest",
                                            [NEWS_GONE] = "gone",
                                            [NEWS_STATE] = "state",
                                            [NEWS_ALL] = "all"};
        buffer_format(&text, "%s%s", text.length ? ", " : "", kinds[news.kind]);
        if (news.kind != NEWS_ALL)
            buffer_format(&text, " %c", news.domain[0]);
        if (news.kind == NEWS_STATE)
            buffer_format(&text, " %d %lld%s%s", (int)news.state,
                          (long long)(now - news.since), news.reason ? " " : "",
                          news.reason ? news.reason : "");
        if (news.kind == NEWS_GUEST)
            assert_string_equal(news.guest->uuid, news.domain);
    }
    _cleanup_free_ char *found = buffer_take(&text, NULL);
    assert_string_equal(found, expected);
}

static void assert_busy(uint64_t serial, const char *letters)
{
    uint64_t found;
    _cleanup_strlist_ struct strlist busy = {0};
    watcher_holding(watcher, &found, &busy);
    assert_int_equal(found, serial);
    char text[27];
    assert_string_equal(device_letters(&busy, text), letters);
}

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
    give_table(1, "2:b");
    connect_with("13456");
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
    connect_with("12");
    assert_news("");
    give_table(1, "1:a");
    assert_news("ask 2");
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
    give_table(1, "1:a");
    connect_with("1");
    assert_job(ONE, OCCASION_LOOK, "a");
    done(ONE, "run", "", "a");
    assert_news("guest 1, state 1 4 0, all");
    assert_job_after(WATCH_GRACE, ONE, OCCASION_RESTORED, "a");
}

static void also_while_further_devices_are_to_come(void **state)
{
    (void)state;
    struct wanted_table table = {.serial = 1};
    add_wanted(wanted_table_add(&table, ONE), "a");
    watcher_take_table(watcher, &table, now);
    connect_with("1");
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
    assert_news("gone 1");
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
    assert_job(ONE, OCCASION_LOOK, "a");
    assert_no_job();
    done(ONE, "run", "a", "a");
    /* it stands so since before */
    assert_news("guest 1, state 1 2 5000, all");
}

static void an_event_that_is_younger_than_the_list_counts(void **state)
{
    (void)state;
    give_table(1, "1:a 2:b");
    event(ONE, OCCASION_DEFINED);
    event(TWO, OCCASION_STARTED);
    assert_no_job();
    connect_with("2");
    assert_news("");
    assert_job(ONE, OCCASION_DEFINED, "a");
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
    assert_news("");
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
    assert_job(ONE, OCCASION_LOOK, "a");
    done(ONE, "off", "", "a");
    assert_news("guest 1, state 1 1 0, all");
}

/* ---- what may still be attached ---- */

static void a_job_keeps_what_it_may_attach(void **state)
{
    (void)state;
    connect_with("12");
    assert_busy(0, "");
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
    event(ONE, OCCASION_DEFINED);
    assert_job(ONE, OCCASION_DEFINED, "a");
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

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_guest_is_given_its_devices_when_it_is_defined),
        TEST(events_during_a_job_make_one_more),
        TEST(no_guest_waits_for_anothers_job),
        TEST(a_definition_goes_before_mere_looks),
        TEST(asks_at_the_event_for_what_the_table_lacks),
        TEST(asks_nothing_before_there_is_a_table),
        TEST(asks_once_for_what_it_has_found),
        TEST(the_answer_settles_the_guest),
        TEST(a_restored_guest_waits_for_nova),
        TEST(nothing_is_live_during_the_grace),
        TEST(a_start_ends_the_grace),
        TEST(of_two_starts_the_later_one_counts),
        TEST(a_guest_whose_start_was_not_seen_is_healed),
        TEST(also_while_further_devices_are_to_come),
        TEST(a_device_that_was_taken_out_of_a_run_stays_out),
        TEST(nor_does_a_repetition_put_it_back),
        TEST(what_no_occasion_allows_for_is_done_after_a_time),
        TEST(a_failure_is_repeated_with_growing_pauses),
        TEST(a_new_start_is_tried_at_once),
        TEST(a_look_does_not_end_a_failure),
        TEST(no_port_is_not_repeated_before_the_next_start),
        TEST(an_unreachable_connection_is_no_failure_of_the_guest),
        TEST(only_guests_whose_entry_has_changed_are_settled),
        TEST(a_domain_that_is_gone_is_told_so),
        TEST(a_domain_that_comes_back_is_not_forgotten),
        TEST(a_domain_that_comes_back_keeps_its_grace),
        TEST(after_a_disconnection_all_is_looked_at_again),
        TEST(an_event_that_is_younger_than_the_list_counts),
        TEST(a_domain_that_cannot_be_looked_at_is_unknown),
        TEST(the_result_of_an_old_connection_counts_for_nothing),
        TEST(a_job_keeps_what_it_may_attach),
        TEST(a_device_under_another_name_is_still_busy),
        TEST(a_look_keeps_nothing),
        TEST(a_call_without_a_reply_lingers),
        TEST(a_disconnection_stops_the_time_of_what_lingers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
