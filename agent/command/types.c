/* vgpu-agent types [GPU]: what the host's GPUs, or one of them, can be cut into. */
#include "agent/command/command.h"
#include "agent/command/gpu_argument.h"
#include "agent/host/capacity.h"

static const char *const columns[] = {
    "gpu",         "type",      "name",       "available_instances", "max_instance",
    "framebuffer", "num_heads", "frl_config", "max_resolution",      NULL};

static void add_number(struct table *table, unsigned number)
{
    if (number)
        table_int(table, number);
    else
        table_none(table);
}

static void add_type(struct table *table, const struct gpu *gpu,
                     const struct mdev_type *type)
{
    const struct type_attributes *attributes = &type->attributes;
    table_string(table, gpu->name);
    table_string(table, type->id);
    table_string(table, type->name);
    table_int(table, gpu_capacity(gpu, type->id, 0) - gpu_device_count(gpu, type->id));
    add_number(table, attributes->max_instance);
    if (attributes->framebuffer_mib)
        table_format(table, "%uM", attributes->framebuffer_mib);
    else
        table_none(table);
    add_number(table, attributes->num_heads);
    add_number(table, attributes->frl_config);
    if (attributes->max_width)
        table_format(table, "%ux%u", attributes->max_width, attributes->max_height);
    else
        table_none(table);
}

/* Each type once, though every VF offers it. */
static void add_gpu(struct table *table, const struct gpu *gpu)
{
    for (size_t i = 0; i < gpu->parent_count; i++)
        for (size_t j = 0; j < gpu->parents[i].type_count; j++) {
            const struct mdev_type *type = &gpu->parents[i].types[j];
            if (gpu_type(gpu, type->id) == type)
                add_type(table, gpu, type);
        }
}

static int print_types(const struct host *host, const char *asked,
                       enum output_format format)
{
    _cleanup_(table_freep) struct table *table = table_new(columns);
    const struct gpu *gpu = NULL;
    struct error err;
    if (asked && gpu_argument_find(host, asked, &gpu, &err) != 0)
        return command_fail(&err);
    for (size_t i = 0; i < host->gpu_count; i++)
        if (!gpu || gpu == &host->gpus[i])
            add_gpu(table, &host->gpus[i]);
    return table_print(table, format, stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int run(const struct command_context *context, int argc, char **argv)
{
    _cleanup_(config_freep) struct config *config = NULL;
    _cleanup_(host_freep) struct host *host = NULL;
    int status = command_look_at_host(context, &config, &host);
    if (status != EXIT_SUCCESS)
        return status;
    return print_types(host, argc > 1 ? argv[1] : NULL, context->format);
}

const struct command command_types = {
    .name = "types",
    .argument = "GPU",
    .argument_may_be_left_out = true,
    .summary = "the types that the GPUs offer, with their attributes",
    .run = run,
};
