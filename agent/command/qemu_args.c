/* vgpu-agent qemu-args CONSUMER: the arguments for QEMU that give a guest its
 * devices. */
#include "agent/command/print_devices.h"

static char *argument(const struct backend *backend,
                      const struct consumer_device *device)
{
    return backend->qemu_device(device->device, device->type);
}

static void write_arguments(struct json_writer *w, const char *device)
{
    json_write_key(w, "arguments");
    json_write_begin_array(w);
    json_write_string(w, "-device");
    json_write_string(w, device);
    json_write_end_array(w);
}

static int run(const struct command_context *context, int argc, char **argv)
{
    (void)argc;
    static const struct device_printer printer = {argument, "-device ",
                                                  write_arguments};
    return command_print_devices(context, argv[1], &printer);
}

const struct command command_qemu_args = {
    .name = "qemu-args",
    .argument = "CONSUMER",
    .summary = "the -device arguments of its devices, for QEMU",
    .run = run,
};
