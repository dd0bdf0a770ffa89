/*
 * clock: the clocks of clock_gettime(2) that count from an arbitrary moment, each with
 * what it is for. The time of day is time(2): it can be set, forward and backward, so
 * it is for what people or other machines read, never for measuring how long something
 * takes. No state; any thread may call.
 */
#ifndef LIB_CLOCK_H
#define LIB_CLOCK_H

#include <stdint.h>

/* CLOCK_MONOTONIC, in nanoseconds and in milliseconds: for timeouts and durations of
 * this process. Nobody sets it, and it stands still while the machine sleeps. */
int64_t clock_monotonic_ns(void);
int64_t clock_monotonic_ms(void);

/* CLOCK_BOOTTIME, in seconds: for what must end although the machine slept in between,
 * such as a token's validity. Nobody sets it, and all processes of a boot read the
 * same. */
int64_t clock_boot_seconds(void);

/* CLOCK_THREAD_CPUTIME_ID, in nanoseconds: the processor time of the calling thread. */
int64_t clock_thread_ns(void);

#endif
