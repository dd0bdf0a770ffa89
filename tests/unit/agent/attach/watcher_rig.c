#include "tests/unit/agent/attach/watcher_rig.h"

#include <string.h>

#include "lib/buffer.h"

struct watcher *watcher;
int64_t now;

int watcher_set_up(void **state)
{
    (void)state;
    watcher = watcher_new();
    now = 1000000;
    /* The first one is doubtful: most tests are about later ones. */
    give_table(1, "");
    return 0;
}

int watcher_tear_down(void **state)
{
    (void)state;
    watcher_free(watcher);
    return 0;
}

/* ---- in ---- */

void connect_with(const char *digits)
{
    _cleanup_strlist_ struct strlist domains = {0};
    for (; *digits; digits++) {
        char uuid[] = ONE;
        uuid[0] = *digits;
        strlist_add(&domains, uuid);
    }
    watcher_connected(watcher, &domains, now);
}

void give_table(uint64_t serial, const char *text)
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

void event(const char *domain, enum occasion occasion)
{
    watcher_event(watcher, domain, occasion, now);
}

struct settle_result result_of(const char *domain, const char *how, const char *live,
                               const char *configured)
{
    return (struct settle_result){.guest = make_guest(domain, how, live, configured)};
}

void done(const char *domain, const char *how, const char *live, const char *configured)
{
    struct settle_result result = result_of(domain, how, live, configured);
    watcher_done(watcher, domain, &result, now);
}

void done_failed(const char *domain, const char *how, const char *live,
                 const char *configured, const char *words)
{
    struct settle_result result = result_of(domain, how, live, configured);
    (void)error_set(&result.reason, ERROR_IO, "%s", words);
    watcher_done(watcher, domain, &result, now);
}

/* ---- out ---- */

void assert_no_job(void)
{
    struct settle_job job;
    if (watcher_next_job(watcher, now, &job))
        fail_msg("an unexpected job of %s, occasion %d", job.domain, (int)job.occasion);
}

void assert_job(const char *domain, enum occasion occasion, const char *wanted)
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

void assert_job_after(int64_t time, const char *domain, enum occasion occasion,
                      const char *wanted)
{
    assert_no_job();
    assert_int_equal(watcher_wake_at(watcher), now + time);
    now += time - 1;
    assert_no_job();
    now++;
    assert_job(domain, occasion, wanted);
}

void assert_news(const char *expected)
{
    struct buffer text = {0};
    struct watcher_news news;
    while (watcher_next_news(watcher, now, &news)) {
        static const char *const kinds[] = {[NEWS_ASK] = "ask",
                                            [NEWS_DOUBT] = "doubt",
                                            [NEWS_EARLY_DOUBT] = "early",
                                            [NEWS_GUEST] = "guest",
                                            [NEWS_GONE] = "gone",
                                            [NEWS_STATE] = "state",
                                            [NEWS_ALL] = "all"};
        buffer_format(&text, "%s%s", text.length ? ", " : "", kinds[news.kind]);
        if (news.kind != NEWS_ALL)
            buffer_format(&text, " %c", news.domain[0]);
        if (news.kind == NEWS_DOUBT || news.kind == NEWS_EARLY_DOUBT)
            buffer_format(&text, " %llu", (unsigned long long)news.number);
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

void assert_busy(uint64_t serial, const char *letters)
{
    uint64_t found;
    _cleanup_strlist_ struct strlist busy = {0};
    watcher_holding(watcher, &found, &busy);
    assert_int_equal(found, serial);
    char text[27];
    assert_string_equal(device_letters(&busy, text), letters);
}
