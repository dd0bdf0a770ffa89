/*
 * backoff: how long to wait before the next cycle. Without failures it is the
 * configured interval, varied by a tenth, so that a thousand hosts that were started
 * together do not send their requests together. After failures it doubles from one
 * second up to a minute (or the interval, where that is longer), and the upper half of
 * it is random. Pure: the random number is an argument.
 */
#ifndef AGENT_DAEMON_BACKOFF_H
#define AGENT_DAEMON_BACKOFF_H

#include <stdint.h>

/* Gives milliseconds, at least 1. `interval` is in seconds; `failures` is how many
 * cycles in a row could not reach Placement; `chance` is a random number, evenly
 * distributed. */
uint64_t backoff_delay(unsigned interval, unsigned failures, uint32_t chance);

#endif
