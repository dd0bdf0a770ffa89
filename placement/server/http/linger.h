/*
 * linger: connections that were answered before they had sent all. A socket that is
 * closed with unread data in it resets the connection, and the client, who is still
 * sending, may never see the reply. So what it sends is read and dropped for a while,
 * without a buffer. Bounded in number and time: who comes when all places are taken
 * takes that of the oldest. One thread.
 */
#ifndef PLACEMENT_SERVER_HTTP_LINGER_H
#define PLACEMENT_SERVER_HTTP_LINGER_H

#include <stdint.h>

#include "lib/error.h"

#define LINGERS_MAX 64

struct lingers {
    int epoll_fd;
    struct lingering {
        int fd; /* -1: a free place */
        /* clock_monotonic_ms() when it was added, and when it last sent something */
        int64_t since, last_ms;
    } items[LINGERS_MAX];
};

int lingers_open(struct lingers *lingers, struct error *err);
void lingers_close(struct lingers *lingers);
/* Adds a connection whose reply has been sent. The caller closes its own `fd`. */
void lingers_add(struct lingers *lingers, int fd);
/* To be called when lingers->epoll_fd is readable. */
void lingers_drain(struct lingers *lingers);
/* Closes connections that take too long. To be called about once a second. */
void lingers_sweep(struct lingers *lingers);

#endif
