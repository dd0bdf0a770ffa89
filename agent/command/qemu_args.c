/* vgpu-agent qemu-args CONSUMER: the arguments that give QEMU its devices. */
#include "agent/command/print_devices.h"

static char *argument(const struct backend *backend,
                      const struct consumer_device *device)
{
    return backend->qemu_argument(device->device, device->type);
}

static int run(const struct command_context *context, int argc, char **argv)
{
    (void)argc;
    return command_print_devices(context, argv[1], argument);
}

const struct command command_qemu_args = {
    .name = "qemu-args",
    .argument = "CONSUMER",
    .summary = "the -device arguments of its devices, for QEMU",
    .run = run,
};
