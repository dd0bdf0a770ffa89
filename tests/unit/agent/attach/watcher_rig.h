/*
 * watcher_rig: one watcher, and short words for what goes into it and comes out: guests
 * and tables as texts ("1:ab 2:c": the first guest is to have a and b), expected jobs,
 * news and busy devices.
 */
#ifndef TESTS_UNIT_AGENT_ATTACH_WATCHER_RIG_H
#define TESTS_UNIT_AGENT_ATTACH_WATCHER_RIG_H

#include "agent/attach/watcher.h"
#include "tests/unit/agent/attach/devices.h"
#include "tests/unit/test.h"

#define ONE SERVER(1)
#define TWO SERVER(2)

extern struct watcher *watcher;
extern int64_t now;

int watcher_set_up(void **state);
int watcher_tear_down(void **state);
#define WATCHER_TEST(function) \
    cmocka_unit_test_setup_teardown(function, watcher_set_up, watcher_tear_down)

/* ---- in */

/* The digits of the guests that are there: "12". */
void connect_with(const char *digits);
void give_table(uint64_t serial, const char *text);
void event(const char *domain, enum occasion occasion);
struct settle_result result_of(const char *domain, const char *how, const char *live,
                               const char *configured);
/* The job has ended, and has seen this. */
void done(const char *domain, const char *how, const char *live,
          const char *configured);
void done_failed(const char *domain, const char *how, const char *live,
                 const char *configured, const char *words);

/* ---- out */

void assert_no_job(void);
void assert_job(const char *domain, enum occasion occasion, const char *wanted);
/* The next job comes after so many milliseconds. */
void assert_job_after(int64_t time, const char *domain, enum occasion occasion,
                      const char *wanted);
/* "ask 1", "gone 1", "guest 1", "state 1 6 0 words" (the state's number, and since how
 * many milliseconds), "all" */
void assert_news(const char *expected);
void assert_busy(uint64_t serial, const char *letters);

#endif
