/*
 * watch: what a loop waits for, and what is to be done then: the daemon's, which is a
 * list of them. Each module that the loop serves gives one; the loop knows no more of
 * them. Keeps nothing, and whatever it calls must not block. One thread.
 */
#ifndef AGENT_DAEMON_WATCH_H
#define AGENT_DAEMON_WATCH_H

#include <stddef.h>

struct watch {
    int fd;       /* -1: it waits for time only */
    short events; /* as poll(2) has them; an error or a hangup counts always */
    int timeout; /* milliseconds until ready() is to be called all the same; -1: never */
    void (*ready)(void *data); /* NULL: that the wait ends is enough */
    void *data;
};

/* Waits until the first of them is due, and calls ready() of each that is, in the order
 * of the list. A signal ends the wait early. At most 16. */
#define WATCHES_MAX 16
void watches_wait(const struct watch *watches, size_t count);

#endif
