#include "lib/clock.h"

#include <time.h>

/* Cannot fail: the clocks are known to every kernel since 2.6.39. */
static int64_t nanoseconds(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int64_t clock_monotonic_ns(void)
{
    return nanoseconds(CLOCK_MONOTONIC);
}

int64_t clock_monotonic_ms(void)
{
    return nanoseconds(CLOCK_MONOTONIC) / 1000000;
}

int64_t clock_boot_seconds(void)
{
    return nanoseconds(CLOCK_BOOTTIME) / 1000000000;
}

int64_t clock_thread_ns(void)
{
    return nanoseconds(CLOCK_THREAD_CPUTIME_ID);
}
