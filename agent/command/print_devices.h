/*
 * print_devices: what `xml` and `qemu-args` share: a consumer's devices, each printed in
 * its own way, once the state file says that they are its own.
 */
#ifndef AGENT_COMMAND_PRINT_DEVICES_H
#define AGENT_COMMAND_PRINT_DEVICES_H

#include "agent/backend/backend.h"
#include "agent/command/command.h"
#include "agent/report/consumer_devices.h"
#include "lib/json_write.h"

/* The caller frees. */
typedef char *device_text(const struct backend *backend,
                          const struct consumer_device *device);

struct device_printer {
    device_text *text;  /* asks the backend of the device's kind */
    const char *prefix; /* before the text, in lines that are to be copied */
    /* The text as members of an object that has uuid and device_api already. */
    void (*write)(struct json_writer *w, const char *text);
};

/* A whole command. Prints each device of a consumer, given as it was typed, as the
 * backend of its kind has it, on lines of its own, or nothing. What is not written down
 * yet, or not made, is left to the daemon, which is woken and waited for; without one,
 * or after half a minute, it is an error. Gives the exit status. */
int command_print_devices(const struct command_context *context, const char *consumer,
                          const struct device_printer *printer);

#endif
