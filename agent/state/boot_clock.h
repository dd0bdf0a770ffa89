/*
 * boot_clock: the clock that grace periods are counted by. The time of day can be set,
 * and a step forward would end every grace period at once. So it is asked only once in
 * each boot, and from then on CLOCK_BOOTTIME is counted, which nobody sets and which
 * goes on while the machine sleeps: seconds since the epoch, as they would be had
 * nobody set the clock since then. The state file keeps which boot that was, for the
 * processes to come.
 *
 * After another boot nobody knows how long it was away, and every grace period begins
 * again: devices do not outlive a reboot, so that little depends on it.
 */
#ifndef AGENT_STATE_BOOT_CLOCK_H
#define AGENT_STATE_BOOT_CLOCK_H

#include "agent/state/journal.h"

/* What the kernel says of now. */
struct boot_time {
    char boot[UUID_TEXT_SIZE]; /* /proc/sys/kernel/random/boot_id; "": not known, which
                                  counts as another boot */
    int64_t uptime;            /* seconds of CLOCK_BOOTTIME */
    int64_t time;              /* seconds since the epoch, by the time of day */
};

struct boot_time boot_time_now(void);

/* Once after the journal was read. True when grace periods that were running in it begin
 * again, which is to be saved. */
bool boot_clock_follow(struct journal *journal, const struct boot_time *now);
/* Of a journal that follows; `uptime` as above. */
int64_t boot_clock_time(const struct journal *journal, int64_t uptime);

#endif
