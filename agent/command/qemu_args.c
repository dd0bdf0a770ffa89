/* vgpu-agent qemu-args CONSUMER: the arguments for QEMU that give a guest its devices.
 * With mediated devices NVIDIA's driver identifies the guest by QEMU's -uuid, so that
 * belongs to them; its value is the consumer. */
#include <stdio.h>

#include "agent/command/print_devices.h"

static char *argument(const struct backend *backend,
                      const struct consumer_device *device, const void *data,
                      struct error *err)
{
    (void)data, (void)err;
    return backend->qemu_device(device->device, device->type);
}

static void print(const struct printed_device *devices, size_t count)
{
    printf("-uuid %s\n", devices[0].consumer);
    for (size_t i = 0; i < count; i++)
        printf("-device %s\n", devices[i].text);
}

/* All arguments of all devices, one after the other, are what QEMU takes: -uuid, which
 * it takes once, stands with the first device. */
static void write_arguments(struct json_writer *w, const struct printed_device *device,
                            size_t position)
{
    json_write_key(w, "arguments");
    json_write_begin_array(w);
    if (position == 0) {
        json_write_string(w, "-uuid");
        json_write_string(w, device->consumer);
    }
    json_write_string(w, "-device");
    json_write_string(w, device->text);
    json_write_end_array(w);
}

static int run(const struct command_context *context, int argc, char **argv)
{
    (void)argc;
    static const struct device_printer printer = {argument, NULL, print,
                                                  write_arguments};
    return command_print_devices(context, argv[1], &printer);
}

const struct command command_qemu_args = {
    .name = "qemu-args",
    .argument = "CONSUMER|DEVICE",
    .summary = "the -uuid and -device arguments for QEMU that give it the devices",
    .run = run,
};
