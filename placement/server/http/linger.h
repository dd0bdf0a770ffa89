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
        int fd;                 /* -1: the place is free */
        int64_t since, last_ms; /* monotonic: it began, it last sent something */
    } items[LINGERS_MAX];
};

int lingers_open(struct lingers *lingers, struct error *err);
void lingers_close(struct lingers *lingers);
/* Of a connection to which all has been sent; the caller closes its own `fd`. */
void lingers_add(struct lingers *lingers, int fd);
/* lingers->epoll_fd is readable. */
void lingers_drain(struct lingers *lingers);
/* Closes those that take too long. To be called every second or so. */
void lingers_sweep(struct lingers *lingers);

#endif
