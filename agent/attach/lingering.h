/*
 * lingering: devices that libvirt may still attach though no job is under way that wants
 * it: the reply to a call never came, since the connection was lost. libvirtd carries
 * out what it has read even when the client is gone, and a libvirtd that was stopped
 * does so when it goes on. So such a device is busy until LINGERING_TIME after every
 * domain was looked at over a working connection. Plain data. Times are milliseconds of
 * the monotonic clock.
 */
#ifndef AGENT_ATTACH_LINGERING_H
#define AGENT_ATTACH_LINGERING_H

#include <stddef.h>
#include <stdint.h>

#include "agent/host/host.h"

/* libvirt's calls wait 30 s for a domain that is busy. */
#define LINGERING_TIME 60000

struct lingering_device {
    char consumer[UUID_TEXT_SIZE];
    char address[DEVICE_ADDRESS_SIZE];
    int64_t until; /* -1: not known yet */
};

/* All zero: none. */
struct lingering {
    struct lingering_device *devices;
    size_t count;
};

/* Its time is not known before lingering_begin(). */
void lingering_add(struct lingering *lingering, const char *consumer,
                   const char *address);
/* Every domain has been looked at: the time runs for those without one. */
void lingering_begin(struct lingering *lingering, int64_t now);
/* The connection is lost: nobody's time runs. */
void lingering_hold(struct lingering *lingering);
/* Forgets those whose time is over. */
void lingering_expire(struct lingering *lingering, int64_t now);
/* When the next one's time is over; -1: nobody's time runs. */
int64_t lingering_next(const struct lingering *lingering);
void lingering_clear(struct lingering *lingering);

#endif
