#include <poll.h>
#include <time.h>

#include "lib/clock.h"
#include "tests/unit/test.h"

/* Each clock lies between two readings of the kernel's own, in the unit it promises. */
static void units_are_as_named(void **state)
{
    (void)state;
    struct timespec before, after;
    clock_gettime(CLOCK_MONOTONIC, &before);
    int64_t ns = clock_monotonic_ns(), ms = clock_monotonic_ms();
    clock_gettime(CLOCK_MONOTONIC, &after);
    assert_in_range(ns, before.tv_sec * 1000000000L + before.tv_nsec,
                    after.tv_sec * 1000000000L + after.tv_nsec);
    assert_in_range(ms, before.tv_sec * 1000L + before.tv_nsec / 1000000,
                    after.tv_sec * 1000L + after.tv_nsec / 1000000);

    clock_gettime(CLOCK_BOOTTIME, &before);
    int64_t boot = clock_boot_seconds();
    clock_gettime(CLOCK_BOOTTIME, &after);
    assert_in_range(boot, before.tv_sec, after.tv_sec);
}

static void processor_time_stands_still_in_sleep(void **state)
{
    (void)state;
    int64_t wall = clock_monotonic_ns(), work = clock_thread_ns();
    assert_int_equal(poll(NULL, 0, 50), 0);
    wall = clock_monotonic_ns() - wall;
    work = clock_thread_ns() - work;
    assert_true(wall >= 50000000);
    assert_true(work >= 0 && work < wall);
}

static void processor_time_grows_with_work(void **state)
{
    (void)state;
    /* Ends when the clock has moved; hangs, and so fails, where it never does. */
    for (int64_t begin = clock_thread_ns(); clock_thread_ns() < begin + 1000000;)
        ;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(units_are_as_named),
        cmocka_unit_test(processor_time_stands_still_in_sleep),
        cmocka_unit_test(processor_time_grows_with_work),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
