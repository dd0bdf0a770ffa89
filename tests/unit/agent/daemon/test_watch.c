#include "tests/unit/test.h"

#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "agent/daemon/watch.h"

#define LONG 20000 /* milliseconds; never waited out when all is well */

static char called[16];

static void note(void *data)
{
    strncat(called, data, sizeof called - strlen(called) - 1);
}

static void *text(const char *name)
{
    return (void *)name;
}

static int set_up(void **state)
{
    (void)state;
    memset(called, 0, sizeof called);
    return 0;
}

static void only_what_is_ready_is_called_in_order(void **state)
{
    (void)state;
    int idle[2], first[2], second[2];
    assert_int_equal(pipe(idle) | pipe(first) | pipe(second), 0);
    const struct watch watches[] = {
        {first[0], POLLIN, -1, note, text("a")},
        {idle[0], POLLIN, -1, note, text("b")},
        {second[0], POLLIN, LONG, note, text("c")},
        {-1, 0, LONG, note, text("d")},
    };
    assert_int_equal(write(first[1], "x", 1), 1);
    watches_wait(watches, 4);
    assert_string_equal(called, "a");
    /* A hangup counts without being asked for. */
    close(second[1]);
    watches_wait(watches, 4);
    assert_string_equal(called, "aac");
    close(idle[0]), close(idle[1]), close(first[0]), close(first[1]), close(second[0]);
}

static void the_first_time_ends_the_wait(void **state)
{
    (void)state;
    int idle[2];
    assert_int_equal(pipe(idle), 0);
    const struct watch watches[] = {
        {idle[0], POLLIN, LONG, note, text("a")},
        {idle[0], POLLIN, 1, note, text("b")},
        {-1, 0, -1, note, text("c")},
        {-1, 0, 1, NULL, NULL},
    };
    while (!*called)
        watches_wait(watches, 4);
    assert_string_equal(called, "b");
    close(idle[0]), close(idle[1]);
}

static void on_alarm(int signal)
{
    (void)signal;
}

static void a_signal_ends_the_wait(void **state)
{
    (void)state;
    const struct sigaction action = {.sa_handler = on_alarm};
    const struct itimerval soon = {{0, 1000}, {0, 1000}}, never = {0};
    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &soon, NULL);
    const struct watch watch = {-1, 0, LONG, note, text("a")};
    watches_wait(&watch, 1);
    setitimer(ITIMER_REAL, &never, NULL);
    assert_string_equal(called, "");
}

#define TEST(function) cmocka_unit_test_setup(function, set_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(only_what_is_ready_is_called_in_order),
        TEST(the_first_time_ends_the_wait),
        TEST(a_signal_ends_the_wait),
    };
    return cmocka_run_group_tests_name("watch", tests, NULL, NULL);
}
