/* vgpu-agent qemu-args CONSUMER: the arguments that give QEMU its devices. */
#include <sysexits.h>

#include "agent/command_session.h"

static int run(const struct command_context *context, int argc, char **argv)
{
    (void)argc;
    _cleanup_session_ struct command_session session = {0};
    _cleanup_free_ struct consumer_device *devices = NULL;
    size_t count;
    int status = command_session_devices(&session, context, argv[1], &devices, &count);
    if (status != EX_OK)
        return status;
    for (size_t i = 0; i < count; i++)
        printf("-device %s,sysfsdev=/sys/bus/mdev/devices/%s\n", devices[i].device_api,
               devices[i].uuid);
    return fflush(stdout) == 0 ? EX_OK : EX_IOERR;
}

const struct command command_qemu_args = {
    .name = "qemu-args",
    .arguments = "CONSUMER",
    .summary = "the -device arguments of its devices, for QEMU",
    .run = run,
};
