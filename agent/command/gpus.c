/* vgpu-agent gpus: the physical GPUs of this host, and what they are configured for. */
#include <string.h>

#include "agent/command/command.h"
#include "agent/host/capacity.h"
#include "agent/plan/desired.h"
#include "lib/xalloc.h"

static const char *const columns[] = {"gpu",   "device", "driver", "type",  "used",
                                      "total", "health", "note",   "types", NULL};

/* What the configuration makes of one GPU; with one provider a VF, their sum. */
struct share {
    const char *type;
    int64_t used, total;
};

static struct share share_of(const struct desired_tree *tree, const struct gpu *gpu)
{
    struct share share = {0};
    for (size_t i = 0; i < tree->provider_count; i++) {
        const struct desired_provider *provider = &tree->providers[i];
        if (provider->gpu != gpu)
            continue;
        if (!share.type)
            share.type =
                provider->type_id ? provider->type_id : provider->type_config->type;
        share.used += gpu_device_count(&provider->view, provider->type_id);
        share.total += provider->capacity;
    }
    return share;
}

/* Why a card offers nothing, or what is wrong with it; NULL when all is well. */
static char *note_on(const struct gpu *gpu)
{
    if (gpu->health_reason)
        return xstrdup(gpu->health_reason);
    if (gpu->parent_count)
        return gpu_offers_types(gpu)
                   ? NULL
                   : xstrdup("its driver has not named any types (yet)");
    if (!gpu->driver)
        return xstrdup("no driver is bound to it");
    if (gpu->vf_total && !gpu->vf_enabled)
        return xasprintf("none of its %u virtual functions is enabled", gpu->vf_total);
    return xasprintf("its driver %s offers no mediated devices", gpu->driver);
}

static void add_types(struct table *table, const struct gpu *gpu)
{
    _cleanup_strlist_ struct strlist types = {0};
    for (size_t i = 0; i < gpu->parent_count; i++)
        for (size_t j = 0; j < gpu->parents[i].type_count; j++)
            strlist_add_unique(&types, gpu->parents[i].types[j].id);
    table_list(table, &types);
}

static void add_gpu(struct table *table, const struct desired_tree *tree,
                    const struct gpu *gpu)
{
    const struct share share = share_of(tree, gpu);
    _cleanup_free_ char *note = note_on(gpu);
    table_string(table, gpu->name);
    if (gpu->vendor)
        table_format(table, "%04x:%04x", gpu->vendor, gpu->device);
    else
        table_none(table);
    table_string(table, gpu->driver);
    table_string(table, share.type);
    if (share.type) {
        table_int(table, share.used);
        table_int(table, share.total);
    } else {
        table_none(table);
        table_none(table);
    }
    table_string(table, gpu_health_name(gpu->health));
    table_string(table, note);
    add_types(table, gpu);
}

/* One that the configuration names and the host does not have. */
static void add_gone(struct table *table, const struct desired_provider *provider)
{
    const struct strlist none = {0};
    table_string(table, provider->gpu_name);
    table_none(table);
    table_none(table);
    table_string(table, provider->type_config->type);
    table_int(table, 0);
    table_int(table, 0);
    table_string(table, gpu_health_name(GPU_GONE));
    table_string(table, "configured, but not on this host");
    table_list(table, &none);
}

static int print_gpus(const struct config *config, const struct host *host,
                      enum output_format format)
{
    /* Nothing of a provider's name or uuid is shown. */
    _cleanup_(desired_tree_freep) struct desired_tree *tree =
        desired_tree_make(config, host, "00000000-0000-0000-0000-000000000000", "host");
    _cleanup_(table_freep) struct table *table = table_new(columns);
    for (size_t i = 0; i < host->gpu_count; i++)
        add_gpu(table, tree, &host->gpus[i]);
    for (size_t i = 0; i < tree->provider_count; i++)
        if (!tree->providers[i].gpu)
            add_gone(table, &tree->providers[i]);
    return table_print(table, format, stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int run(const struct command_context *context, int argc, char **argv)
{
    (void)argc;
    (void)argv;
    _cleanup_(config_freep) struct config *config = NULL;
    _cleanup_(host_freep) struct host *host = NULL;
    int status = command_look_at_host(context, &config, &host);
    if (status != EXIT_SUCCESS)
        return status;
    return print_gpus(config, host, context->format);
}

const struct command command_gpus = {
    .name = "gpus",
    .arguments = "",
    .summary = "the host's GPUs: configured type, devices used and total, health",
    .run = run,
};
