#include "agent/daemon/watch.h"

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include "lib/clock.h"

static int shortest(const struct watch *watches, size_t count)
{
    int timeout = -1;
    for (size_t i = 0; i < count; i++)
        if (watches[i].timeout >= 0 && (timeout < 0 || watches[i].timeout < timeout))
            timeout = watches[i].timeout;
    return timeout;
}

void watches_wait(const struct watch *watches, size_t count)
{
    struct pollfd fds[WATCHES_MAX];
    if (count > WATCHES_MAX)
        abort();
    for (size_t i = 0; i < count; i++)
        fds[i] = (struct pollfd){.fd = watches[i].fd, .events = watches[i].events};
    int64_t began = clock_monotonic_ms();
    bool any = poll(fds, count, shortest(watches, count)) > 0;
    int64_t took = clock_monotonic_ms() - began;
    for (size_t i = 0; i < count; i++) {
        const struct watch *watch = &watches[i];
        bool is_due =
            (any && fds[i].revents) || (watch->timeout >= 0 && took >= watch->timeout);
        if (is_due && watch->ready)
            watch->ready(watch->data);
    }
}
