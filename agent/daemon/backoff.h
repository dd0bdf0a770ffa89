/*
 * backoff: how long until the next cycle. While all is well, the configured interval,
 * spread by a tenth so that a thousand hosts that were started together do not ask
 * together; after failures, doubling from one second up to a minute (or the interval,
 * where that is longer), the upper half of it by chance. Pure: chance comes in.
 */
#ifndef AGENT_DAEMON_BACKOFF_H
#define AGENT_DAEMON_BACKOFF_H

#include <stdint.h>

/* Milliseconds, at least 1. `interval` in seconds; `failures`: cycles in a row that
 * could not reach Placement; `chance`: any number, evenly spread. */
uint64_t backoff_delay(unsigned interval, unsigned failures, uint32_t chance);

#endif
