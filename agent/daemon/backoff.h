/*
 * backoff: how long to wait after a failure before the next attempt. It doubles from
 * one second up to a minute (or the interval, where that is longer), and the upper half
 * of it is random. Pure: the random number is an argument.
 */
#ifndef AGENT_DAEMON_BACKOFF_H
#define AGENT_DAEMON_BACKOFF_H

#include <stdint.h>

/* Gives milliseconds, at least 1. `interval` is in seconds; `failures` is how many
 * attempts in a row have failed, at least 1; `chance` is a random number, evenly
 * distributed. */
uint64_t backoff_delay(unsigned interval, unsigned failures, uint32_t chance);

#endif
