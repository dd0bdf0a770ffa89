/* vgpu-agent xml CONSUMER: the elements for a libvirt domain that give it the devices
 * of a consumer. */
#include "agent/command/print_devices.h"

static char *element(const struct backend *backend,
                     const struct consumer_device *device)
{
    return backend->guest_xml(device->device, device->type);
}

static void write_element(struct json_writer *w, const char *element)
{
    json_write_string_member(w, "xml", element);
}

static int run(const struct command_context *context, int argc, char **argv)
{
    (void)argc;
    static const struct device_printer printer = {element, "", write_element};
    return command_print_devices(context, argv[1], &printer);
}

const struct command command_xml = {
    .name = "xml",
    .argument = "CONSUMER",
    .summary = "the <hostdev> elements of its devices, for a libvirt domain",
    .run = run,
};
