/*
 * wanted: the devices that guests are to have: a table that the daemon makes after each
 * cycle and sends to the program that talks to libvirt, so that this one has all that
 * it needs when a guest is defined, and asks nobody. Plain data. No I/O.
 *
 * Devices in the table exist, are noted in the state file as the consumer's, and are
 * nobody else's. A device is never taken out of service or given to another consumer
 * while an acknowledged table has it (agent/attach/message.h).
 */
#ifndef AGENT_ATTACH_WANTED_H
#define AGENT_ATTACH_WANTED_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/host/host.h"
#include "lib/cleanup.h"

struct wanted_device {
    char address[DEVICE_ADDRESS_SIZE];
    char *xml; /* a <hostdev> element, of struct backend's guest_xml() */
};

struct wanted {
    char consumer[UUID_TEXT_SIZE];
    /* The consumer's allocations have all their devices; else further ones are to
     * come. Whole and without devices: it has no allocation, and its domain is configured
     * with devices of ours, which go out of the configuration. */
    bool whole;
    /* Only for a guest that runs without: nova-compute attaches devices itself
     * (mode = nova), and has had its time when the entry comes. */
    bool heals;
    struct wanted_device *devices; /* sorted by address */
    size_t count;
};

struct wanted_table {
    uint64_t serial;          /* grows with each table of one connection; 0: no table */
    struct wanted *consumers; /* sorted by consumer */
    size_t count;
    /* Addresses of all devices that the agent may take out of the configuration of a
     * guest that is not to have them: those that it has made. Sorted. */
    struct strlist ours;
};

/* For code that makes a table: the consumer's entry, added when it is new, and a device
 * added to it. The pointer is valid until the next addition. wanted_table_sort() comes
 * last. */
struct wanted *wanted_table_add(struct wanted_table *table, const char *consumer);
void wanted_add_device(struct wanted *wanted, const char *address, const char *xml);
void wanted_table_sort(struct wanted_table *table);

void wanted_table_clear(struct wanted_table *table);
#define _cleanup_wanted_table_ _cleanup_(wanted_table_clear)
/* NULL: the consumer is to have nothing. */
const struct wanted *wanted_find(const struct wanted_table *table,
                                 const char *consumer);
bool wanted_has(const struct wanted_table *table, const char *address);
/* Whether both tables say the same, whatever their serials. */
bool wanted_table_equal(const struct wanted_table *a, const struct wanted_table *b);

/* One consumer's entry. NULL in place of it has no devices. */
bool wanted_names(const struct wanted *wanted, const char *address);
/* Whether the consumer has no allocation: there is no entry, or a whole one without
 * devices. */
bool wanted_is_nothing(const struct wanted *wanted);
bool wanted_equal(const struct wanted *a, const struct wanted *b);
struct wanted wanted_copy(const struct wanted *wanted);
void wanted_clear(struct wanted *wanted);
#define _cleanup_wanted_ _cleanup_(wanted_clear)

#endif
