/* vgpu-agent create --type TYPE [--gpu GPU] [--uuid UUID]: makes a device by hand, for
 * no consumer of Placement. */
#include <string.h>
#include <sysexits.h>

#include "agent/command/give_order.h"
#include "agent/command/gpu_argument.h"
#include "agent/command/type_names.h"
#include "lib/json_write.h"
#include "lib/xalloc.h"

enum { TYPE, GPU, UUID };

static int check_type(const struct host *host, const char *type, struct error *err)
{
    for (size_t i = 0; i < host->gpu_count; i++)
        if (gpu_resolve_type(&host->gpus[i], type))
            return 0;
    _cleanup_free_ char *near = type_names_nearest(host->gpus, host->gpu_count, type);
    _cleanup_free_ char *all = type_names_list(host->gpus, host->gpu_count);
    if (near)
        return error_set(err, ERROR_NOT_FOUND,
                         "no GPU of this host offers the type '%s'; did you mean %s?",
                         type, near);
    return error_set(err, ERROR_NOT_FOUND,
                     "no GPU of this host offers the type '%s'; there are %s", type,
                     all ? all : "none");
}

static int find_gpu(const struct host *host, const char *asked, char **out,
                    struct error *err)
{
    const struct gpu *gpu;
    if (!asked)
        return 0;
    if (gpu_argument_find(host, NULL, asked, &gpu, err) != 0)
        return -1;
    *out = xstrdup(gpu->name);
    return 0;
}

static int choose_uuid(const char *asked, char **out, struct error *err)
{
    char uuid[UUID_TEXT_SIZE];
    if (!asked)
        uuid4_text(uuid);
    else if (command_parse_uuid(asked, uuid, err) != 0)
        return -1;
    *out = xstrdup(uuid);
    return 0;
}

static int make_order(const struct command_context *context, const struct host *host,
                      struct order *order, struct error *err)
{
    const char *const *values = context->values;
    order->kind = ORDER_CREATE;
    order->type = xstrdup(values[TYPE]);
    if (choose_uuid(values[UUID], &order->device, err) != 0 ||
        check_type(host, values[TYPE], err) != 0 ||
        find_gpu(host, values[GPU], &order->gpu, err) != 0)
        return -1;
    return 0;
}

static int print_json(const struct order *order, const char *address)
{
    struct json_writer w = {0};
    json_write_begin_object(&w);
    json_write_string_member(&w, "device", address);
    json_write_string_member(&w, "uuid", order->device);
    json_write_end_object(&w);
    _cleanup_free_ char *text = json_writer_take(&w, NULL);
    return puts(text);
}

/* nova-compute hands out any idle mediated device of its types. */
static void warn(const struct config *config)
{
    if (config->agent.mode == MODE_NOVA && config->type_count)
        command_say(
            "in nova mode nova-compute gives an idle device of its types to the "
            "next server, also one that was made by hand");
}

static int run(const struct command_context *context, int argc, char **argv)
{
    (void)argc, (void)argv;
    _cleanup_(config_freep) struct config *config = NULL;
    _cleanup_(host_freep) struct host *host = NULL;
    _cleanup_free_ char *address = NULL;
    struct order order = {0};
    struct error err;
    if (!context->values[TYPE] || !*context->values[TYPE]) {
        command_say(
            "create: expected --type and a type, as `vgpu-agent types` has them");
        return EX_USAGE;
    }
    int status = command_look_at_host(context, &config, &host);
    if (status != EX_OK)
        return status;
    if (make_order(context, host, &order, &err) != 0 ||
        command_give_order(context, config, &order, &address, &err) != 0) {
        status = command_fail(&err);
    } else {
        const char *device = address ? address : order.device;
        warn(config);
        int printed =
            context->format == FORMAT_JSON ? print_json(&order, device) : puts(device);
        status = printed < 0 || fflush(stdout) != 0 ? EX_IOERR : EX_OK;
    }
    order_clear(&order);
    return status;
}

static const struct command_option options[] = {
    [TYPE] = {"type", "TYPE", "the type, by its id or its name"},
    [GPU] =
        {"gpu", "GPU",
         "where; if it is not given, one of the first group with room, else the GPU "
         "with most room"},
    [UUID] = {"uuid", "UUID",
              "the uuid of the device; a random one, if it is not given"},
    {.name = NULL},
};

const struct command command_create = {
    .name = "create",
    .options = options,
    .summary = "makes a device by hand, which stays until it is removed by hand",
    .run = run,
};
