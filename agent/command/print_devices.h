/*
 * print_devices: what `xml` and `qemu-args` share: a consumer's devices, each printed in
 * its own way, once the state file says that they are its own.
 */
#ifndef AGENT_COMMAND_PRINT_DEVICES_H
#define AGENT_COMMAND_PRINT_DEVICES_H

#include "agent/backend/backend.h"
#include "agent/command/command.h"
#include "agent/report/consumer_devices.h"

/* A whole command. Prints each device of a consumer, given as it was typed, as the
 * backend of its kind has it, on lines of its own (`text` asks the backend; what it gives
 * is freed), or nothing. What is not written down yet, or not made, is left to the
 * daemon, which is woken and waited for; without one, or after half a minute, it is an
 * error. Gives the exit status. */
int command_print_devices(const struct command_context *context, const char *consumer,
                          char *(*text)(const struct backend *backend,
                                        const struct consumer_device *device));

#endif
