/* vgpu-agent remove DEVICE: removes a device, whoever made it, that nobody uses. */
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "agent/backend/backend.h"
#include "agent/command/give_order.h"
#include "lib/xalloc.h"

/* What the kind of device says of it where its hardware stays; NULL: it is removed. */
static const char *release_of(const struct host *host, const char *name)
{
    const struct device *device = host_device(host, name, NULL, NULL);
    const struct backend *backend = device ? backend_find(device->backend) : NULL;
    return backend ? backend->release : NULL;
}

static int print(const struct order *order, const char *release,
                 enum output_format format)
{
    static const struct table_column columns[] = {
        {.key = "device"}, {.key = "result"}, {.key = NULL}};
    if (format != FORMAT_JSON)
        return printf("%s is %s%s\n", order->device, release ? "released: " : "removed",
                      release ? release : "") < 0 ||
                       fflush(stdout) != 0
                   ? EX_IOERR
                   : EX_OK;
    _cleanup_(table_freep) struct table *table = table_new(columns);
    table_string(table, order->device);
    table_string(table, release ? "released" : "removed");
    return table_print(table, format, stdout) == 0 ? EX_OK : EX_IOERR;
}

static int run(const struct command_context *context, int argc, char **argv)
{
    (void)argc;
    _cleanup_(config_freep) struct config *config = NULL;
    _cleanup_(host_freep) struct host *host = NULL;
    _cleanup_free_ char *text = NULL;
    int status = command_look_at_host(context, &config, &host);
    if (status != EX_OK)
        return status;
    struct order order = {.kind = ORDER_REMOVE, .force = context->values[0] != NULL};
    struct error err;
    if (command_find_device(config, host, argv[1], &order.device, &err) != 0)
        return command_fail(&err);
    if (command_give_order(context, config, &order, &text, &err) == 0) {
        status = print(&order, release_of(host, order.device), context->format);
    } else {
        (void)error_prefix(&err, "%s", order.device);
        status = command_fail(&err);
    }
    order_clear(&order);
    return status;
}

static const struct command_option options[] = {
    {"force", NULL, "also where a consumer has an allocation that it meets"},
    {.name = NULL},
};

const struct command command_remove = {
    .name = "remove",
    .argument = "DEVICE",
    .options = options,
    .summary = "removes a device that nobody uses, whoever made it",
    .run = run,
};
