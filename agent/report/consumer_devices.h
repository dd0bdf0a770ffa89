/*
 * consumer_devices: the devices of one consumer, for what a guest is started with. All
 * of them or an error: a guest must not start with half of its GPUs. Only what the state
 * file says already, and nobody else has.
 */
#ifndef AGENT_REPORT_CONSUMER_DEVICES_H
#define AGENT_REPORT_CONSUMER_DEVICES_H

#include "agent/cycle.h"

struct consumer_device {
    const struct device *device;
    const struct device_type
        *type; /* NULL where the parent does not offer it any more */
};

/* By address; *out is the caller's (free()), what it points to is the cycle's. NOT_FOUND,
 * with the consumers that there are, when it has no allocation here; BUSY while a
 * device is still to be made or to be noted as its own, while another domain names one
 * or a process that is no domain's holds it, and for what is taken for a migration;
 * EXHAUSTED with the reason when it cannot be met. `cycle` has looked who uses the
 * devices. */
int consumer_devices(const struct cycle *cycle, const char *consumer,
                     struct consumer_device **out, size_t *count, struct error *err);

#endif
