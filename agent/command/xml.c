/* vgpu-agent xml CONSUMER: the configuration for a libvirt domain that gives it the
 * devices of a consumer, as one document: the element itself, which `virsh
 * attach-device` takes, or <devices> around several. */
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "agent/command/print_devices.h"

/* The values of --display and --ramfb, in the order of the options below. */
enum { DISPLAY, RAMFB };

static int check_value(const char *option, const char *value, struct error *err)
{
    if (!value || strcmp(value, "on") == 0 || strcmp(value, "off") == 0)
        return 0;
    return error_set(err, ERROR_INVALID, "--%s '%s': expected on or off", option,
                     value);
}

static bool is_on(const char *value)
{
    return value && strcmp(value, "on") == 0;
}

static int check_options(const struct command_context *context, struct error *err)
{
    const char *const *values = context->values;
    if (check_value("display", values[DISPLAY], err) != 0 ||
        check_value("ramfb", values[RAMFB], err) != 0)
        return -1;
    if (is_on(values[RAMFB]) && !is_on(values[DISPLAY]))
        return error_set(err, ERROR_INVALID,
                         "--ramfb on: QEMU's ramfb is shown on the device's display; "
                         "expected --display on as well");
    return 0;
}

static char *element(const struct backend *backend,
                     const struct consumer_device *device, const void *data,
                     struct error *err)
{
    const struct command_context *context = data;
    const char *const *values = context->values;
    char *text = NULL;
    if (!values[DISPLAY] && !values[RAMFB])
        return backend->guest_xml(device->device, device->type);
    if (backend->guest_xml_display)
        text = backend->guest_xml_display(device->device, device->type,
                                          is_on(values[DISPLAY]), is_on(values[RAMFB]));
    if (!text)
        (void)error_set(err, ERROR_UNSUPPORTED,
                        "%s %s: libvirt knows --display and --ramfb for mediated "
                        "devices of PCI alone",
                        backend->noun, device->device->address);
    return text;
}

static void print_indented(const char *text)
{
    while (*text) {
        size_t length = strcspn(text, "\n");
        printf("  %.*s\n", (int)length, text);
        text += length + (text[length] == '\n');
    }
}

static void print(const struct printed_device *devices, size_t count)
{
    if (count == 1) {
        puts(devices[0].text);
        return;
    }
    puts("<devices>");
    for (size_t i = 0; i < count; i++)
        print_indented(devices[i].text);
    puts("</devices>");
}

static void write_element(struct json_writer *w, const struct printed_device *device,
                          size_t position)
{
    (void)position;
    json_write_string_member(w, "xml", device->text);
}

static int run(const struct command_context *context, int argc, char **argv)
{
    (void)argc;
    struct error err;
    const struct device_printer printer = {element, context, print, write_element};
    if (check_options(context, &err) != 0) {
        (void)command_fail(&err);
        return EX_USAGE;
    }
    return command_print_devices(context, argv[1], &printer);
}

static const struct command_option options[] = {
    [DISPLAY] = {"display", "on|off", "the device's display is the guest's console"},
    [RAMFB] = {"ramfb", "on|off", "with --display on: also while the guest boots"},
    {.name = NULL},
};

const struct command command_xml = {
    .name = "xml",
    .argument = "CONSUMER|DEVICE",
    .options = options,
    .summary = "the <hostdev> elements for a libvirt domain that give it the devices",
    .run = run,
};
