/*
 * notify: tells systemd how the service stands (sd_notify(3)'s protocol: one datagram
 * to $NOTIFY_SOCKET). Written here because libsystemd would bring six more libraries
 * into a process that must stay small.
 */
#ifndef LIB_NOTIFY_H
#define LIB_NOTIFY_H

#include <stdint.h>

/* `state` is "READY=1", "STOPPING=1", newline-separated. Waits for some seconds at most
 * where systemd is slow to read. Without $NOTIFY_SOCKET it does nothing; failures are
 * ignored as sd_notify's callers do. */
void notify_state(const char *state);
/* The same for what will soon be repeated, "WATCHDOG=1" and "STATUS=...": dropped
 * rather than waited for. */
void notify_news(const char *state);

/* How often "WATCHDOG=1" is due, in microseconds: half of WatchdogSec=, as
 * sd_watchdog_enabled(3) recommends. 0 when no watchdog is set. */
uint64_t notify_watchdog_interval(void);

#endif
