/*
 * boot_clock: the clock that grace periods are measured with. The time of day can be
 * set, and a step forward would end every grace period at once. So it is read only once
 * in each boot. From then on CLOCK_BOOTTIME is used, which nobody can set and which
 * also runs while the machine is suspended. The result is in seconds since the epoch,
 * as they would be had nobody set the clock during this boot. The state file records
 * the boot, for later processes.
 *
 * How long the machine was off between two boots is not known, so every grace period
 * begins again after a boot, and so does the time that a doubted Placement has. Little
 * depends on that, since devices do not outlive a reboot.
 */
#ifndef AGENT_STATE_BOOT_CLOCK_H
#define AGENT_STATE_BOOT_CLOCK_H

#include "agent/state/journal.h"

/* The kernel's clocks at one moment. */
struct boot_time {
    /* /proc/sys/kernel/random/boot_id; "": not known, which counts as another boot. */
    char boot[UUID_TEXT_SIZE];
    int64_t uptime; /* seconds of CLOCK_BOOTTIME */
    int64_t time;   /* seconds since the epoch, by the time-of-day clock */
};

struct boot_time boot_time_now(void);

/* To be called once after the journal was read. True when running grace periods begin
 * again; the journal is then to be saved. */
bool boot_clock_follow(struct journal *journal, const struct boot_time *now);
/* The time on this clock, in seconds, for a journal that boot_clock_follow() was called
 * with; `uptime` as in struct boot_time. */
int64_t boot_clock_time(const struct journal *journal, int64_t uptime);

#endif
