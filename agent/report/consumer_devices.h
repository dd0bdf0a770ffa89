/*
 * consumer_devices: the devices of one consumer, for what a guest is started with. All
 * of them or an error: a guest must not start with half of its GPUs.
 */
#ifndef AGENT_REPORT_CONSUMER_DEVICES_H
#define AGENT_REPORT_CONSUMER_DEVICES_H

#include "agent/cycle.h"

struct consumer_device {
    const char *uuid;
    const char *device_api; /* "vfio-pci" */
};

/* By uuid; *out is the caller's (free()), what it points to is the cycle's. NOT_FOUND,
 * with the consumers that there are, when it has no allocation here; BUSY while a
 * device is still to be made; EXHAUSTED with the reason when it cannot be. */
int consumer_devices(const struct cycle *cycle, const char *consumer,
                     struct consumer_device **out, size_t *count, struct error *err);

#endif
