/* vgpu-agent xml CONSUMER: the elements that put its devices into a libvirt domain. */
#include <string.h>

#include "agent/command/print_devices.h"

/* https://libvirt.org/formatdomain.html: the model is the device's API; display is an
 * attribute of vfio-pci alone. Uuid and model need no escapes. */
static void print_element(const struct consumer_device *device)
{
    bool pci = strcmp(device->device_api, "vfio-pci") == 0;
    printf("<hostdev mode='subsystem' type='mdev' model='%s'%s>\n"
           "  <source>\n"
           "    <address uuid='%s'/>\n"
           "  </source>\n"
           "</hostdev>\n",
           device->device_api, pci ? " display='off'" : "", device->uuid);
}

static int run(const struct command_context *context, int argc, char **argv)
{
    (void)argc;
    return command_print_devices(context, argv[1], print_element);
}

const struct command command_xml = {
    .name = "xml",
    .arguments = "CONSUMER",
    .summary = "the <hostdev> elements of its devices, for a libvirt domain",
    .run = run,
};
