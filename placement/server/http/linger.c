#include "placement/server/http/linger.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/clock.h"

#define SILENCE 2000 /* milliseconds without a byte from the client */
#define WHOLE 10000  /* milliseconds altogether */
#define READS 16     /* reads of one connection before the next one's turn */

int lingers_open(struct lingers *lingers, struct error *err)
{
    for (size_t i = 0; i < LINGERS_MAX; i++)
        lingers->items[i].fd = -1;
    lingers->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    return lingers->epoll_fd >= 0 ? 0 : error_set_errno(err, errno, "epoll_create1");
}

static void end(struct lingering *linger)
{
    if (linger->fd >= 0)
        close(linger->fd);
    linger->fd = -1;
}

void lingers_close(struct lingers *lingers)
{
    for (size_t i = 0; i < LINGERS_MAX; i++)
        end(&lingers->items[i]);
    if (lingers->epoll_fd >= 0)
        close(lingers->epoll_fd);
}

/* A free place, or that of the oldest connection, which is closed. */
static struct lingering *place(struct lingers *lingers)
{
    struct lingering *oldest = lingers->items;
    for (size_t i = 0; i < LINGERS_MAX; i++) {
        struct lingering *linger = &lingers->items[i];
        if (linger->fd < 0)
            return linger;
        if (linger->since < oldest->since)
            oldest = linger;
    }
    end(oldest);
    return oldest;
}

void lingers_add(struct lingers *lingers, int fd)
{
    struct lingering *linger = place(lingers);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = linger};
    /* A duplicate descriptor keeps the connection open when libmicrohttpd closes its
     * own. */
    linger->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    linger->since = linger->last_ms = clock_monotonic_ms();
    if (linger->fd >= 0 &&
        epoll_ctl(lingers->epoll_fd, EPOLL_CTL_ADD, linger->fd, &event) != 0)
        end(linger);
    /* So the client sees the end of the reply. */
    shutdown(fd, SHUT_WR);
}

static void drain(struct lingering *linger)
{
    ssize_t got = 0;
    /* With MSG_TRUNC the kernel drops the data without copying it. */
    for (int i = 0; i < READS; i++) {
        got = recv(linger->fd, NULL, 1 << 20, MSG_DONTWAIT | MSG_TRUNC);
        if (got <= 0)
            break;
        linger->last_ms = clock_monotonic_ms();
    }
    if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR))
        end(linger);
}

void lingers_drain(struct lingers *lingers)
{
    struct epoll_event events[LINGERS_MAX];
    int count = epoll_wait(lingers->epoll_fd, events, LINGERS_MAX, 0);
    for (int i = 0; i < count; i++)
        drain(events[i].data.ptr);
}

void lingers_sweep(struct lingers *lingers)
{
    int64_t now = clock_monotonic_ms();
    for (size_t i = 0; i < LINGERS_MAX; i++) {
        struct lingering *linger = &lingers->items[i];
        if (linger->fd >= 0 &&
            (now - linger->last_ms > SILENCE || now - linger->since > WHOLE))
            end(linger);
    }
}
