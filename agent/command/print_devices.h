/*
 * print_devices: shared by `xml` and `qemu-args`: prints the devices of a consumer once
 * the state file has them as the consumer's, or one device that is named itself, without
 * Placement; each command has its own format.
 */
#ifndef AGENT_COMMAND_PRINT_DEVICES_H
#define AGENT_COMMAND_PRINT_DEVICES_H

#include "agent/backend/backend.h"
#include "agent/command/command.h"
#include "agent/report/consumer_devices.h"
#include "lib/json_write.h"

/* What is printed of one device, or of one function of a card that goes whole. */
struct printed_device {
    const char *consumer;          /* of a device that is nobody's: a uuid of its own */
    struct consumer_device device; /* its `device` is `part` */
    struct device part;
    char *text;
};

struct device_printer {
    /* The text for one device, which the caller frees; NULL with an error. `data` is
     * the command's own. */
    char *(*text)(const struct backend *backend, const struct consumer_device *device,
                  const void *data, struct error *err);
    const void *data;
    /* Prints all devices of the consumer, of which there is at least one. */
    void (*print)(const struct printed_device *devices, size_t count);
    /* Writes the text as members of an object that has uuid and device_api already.
     * `position` counts the devices of the consumer from 0. */
    void (*write)(struct json_writer *w, const struct printed_device *device,
                  size_t position);
};

/* Runs the whole command. `consumer` is the uuid as it was typed, or a device. Prints
 * all devices in the format of their backends, or nothing. Where a device is not made
 * or not in the state file yet, the daemon is woken and waited for; it is an error when
 * no daemon runs or half a minute has passed. Gives the exit status. */
int command_print_devices(const struct command_context *context, const char *consumer,
                          const struct device_printer *printer);

#endif
