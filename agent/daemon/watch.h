/*
 * watch: what the daemon's loop waits for, and the function to call then. Each module
 * that the loop serves gives one watch, and the loop needs to know nothing else of that
 * module. Keeps nothing; the functions it calls must not block. One thread.
 */
#ifndef AGENT_DAEMON_WATCH_H
#define AGENT_DAEMON_WATCH_H

#include <stddef.h>

struct watch {
    int fd;       /* -1: there is only the timeout */
    short events; /* as in poll(2); an error or a hangup always counts */
    int timeout; /* milliseconds after which ready() is called in any case; -1: never */
    void (*ready)(void *data); /* NULL: only the wait is to end */
    void *data;
};

/* Waits until the first of the watches is due and calls ready() of each that is, in the
 * order of the list. A signal ends the wait early. The list has at most WATCHES_MAX
 * items. */
#define WATCHES_MAX 16
void watches_wait(const struct watch *watches, size_t count);

#endif
