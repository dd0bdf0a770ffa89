/*
 * consumer_devices: the devices of one consumer, for the configuration that its guest
 * is started with. Gives all of them or an error: a guest must not start with a part of
 * its devices. A device counts only when the state file has it as the consumer's and
 * nobody else uses it.
 */
#ifndef AGENT_REPORT_CONSUMER_DEVICES_H
#define AGENT_REPORT_CONSUMER_DEVICES_H

#include "agent/cycle.h"

struct consumer_device {
    const char *uuid; /* the agent's name for it */
    const struct device *device;
    /* NULL where the parent does not offer the type any more. */
    const struct device_type *type;
};

/* The address of the device that the agent calls so, also of one that is not there (any
 * more); the uuid itself where no other name is known. Borrowed. */
const char *device_address_of_uuid(const struct cycle *cycle, const char *uuid);

/* Those of the uuids whose devices exist, by the host's names for them. For the others
 * only the uuid is planned. The caller clears the list. */
struct strlist devices_existing(const struct cycle *cycle, const struct strlist *uuids);

/* Whether a guest is to have devices for the allocation: false when that is gone, or is
 * a migration's, whose guest has the server's uuid. */
bool allocation_is_a_guests(const struct allocation_status *status);

/* Gives the devices, sorted by address. The caller frees *out with free(); what its
 * members point to belongs to the cycle. NOT_FOUND, with the consumers that exist, when
 * this one has no allocation here. BUSY while a device is not made yet or not in the
 * state file as the consumer's, while another domain names one, while a process that
 * belongs to no running domain has one open, and for an allocation that is taken for a
 * migration. EXHAUSTED, with the reason, when the allocation cannot be met. `cycle`
 * must have looked who uses the devices. */
int consumer_devices(const struct cycle *cycle, const char *consumer,
                     struct consumer_device **out, size_t *count, struct error *err);

/* One device of an allocation, by its uuid (struct allocation_status): by the rules
 * above, but that nothing is known of its users where `cycle` has not looked. BUSY as
 * consumer_devices(). */
int consumer_device_find(const struct cycle *cycle, const char *consumer,
                         const char *uuid, struct consumer_device *out,
                         struct error *err);
/* Whether the cycle has seen that somebody else uses the device. */
bool consumer_device_is_anothers(const struct cycle *cycle, const char *consumer,
                                 const char *address);

#endif
