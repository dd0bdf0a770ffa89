/*
 * print_devices: shared by `xml` and `qemu-args`: prints the devices of a consumer once
 * the state file has them as the consumer's; each command has its own format.
 */
#ifndef AGENT_COMMAND_PRINT_DEVICES_H
#define AGENT_COMMAND_PRINT_DEVICES_H

#include "agent/backend/backend.h"
#include "agent/command/command.h"
#include "agent/report/consumer_devices.h"
#include "lib/json_write.h"

/* The text for one device. The caller frees. */
typedef char *device_text(const struct backend *backend,
                          const struct consumer_device *device);

struct device_printer {
    device_text *text;  /* asks the backend of the device */
    const char *prefix; /* printed before the text, for lines that are to be copied */
    /* Writes the text as members of an object that has uuid and device_api already. */
    void (*write)(struct json_writer *w, const char *text);
};

/* Runs the whole command. `consumer` is the uuid as it was typed. Prints each device on
 * lines of its own, in the format of its backend, or nothing. Where a device is not
 * made or not in the state file yet, the daemon is woken and waited for; it is an error
 * when no daemon runs or half a minute has passed. Gives the exit status. */
int command_print_devices(const struct command_context *context, const char *consumer,
                          const struct device_printer *printer);

#endif
