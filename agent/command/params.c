/* vgpu-agent params DEVICE [TEXT]: shows the parameters of a device (NVIDIA's
 * vgpu_params), sets or clears them. */
#include <fcntl.h>
#include <regex.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "agent/backend/backend.h"
#include "agent/command/give_order.h"
#include "lib/folder.h"
#include "lib/json_write.h"
#include "lib/xalloc.h"

/* ---- showing ---- */

static int print(const char *device, const char *parameters, enum output_format format)
{
    struct json_writer w = {0};
    if (format != FORMAT_JSON)
        return puts(parameters) < 0 || fflush(stdout) != 0 ? EX_IOERR : EX_OK;
    json_write_begin_object(&w);
    json_write_string_member(&w, "device", device);
    json_write_string_member(&w, "parameters", parameters);
    json_write_end_object(&w);
    _cleanup_free_ char *text = json_writer_take(&w, NULL);
    return puts(text) < 0 || fflush(stdout) != 0 ? EX_IOERR : EX_OK;
}

/* A driver that hangs is not asked. */
static int read_parameters(const struct config *config, const struct host *host,
                           const char *name, char **out, struct error *err)
{
    const struct gpu *gpu;
    const struct device *device = host_device(host, name, &gpu, NULL);
    if (!device || device->in_transition || !gpu)
        return error_set(err, ERROR_NOT_FOUND, "the device %s is not there (any more)",
                         name);
    if (gpu->health != GPU_OK)
        return error_set(err, ERROR_IO, "the GPU %s is not well: %s", gpu->name,
                         gpu_health_name(gpu->health));
    const struct backend *backend = backend_find(device->backend);
    if (!backend || !backend->parameters)
        return error_set(err, ERROR_UNSUPPORTED,
                         "%s: devices of this kind have no parameters", name);
    _cleanup_close_ int root = folder_open(AT_FDCWD, config->agent.sysfs_root);
    return backend->parameters(root, device, out, err);
}

/* ---- setting ---- */

static int check_text(const char *text, struct error *err)
{
    regex_t pattern;
    if (!*text)
        return 0;
    if (regcomp(&pattern, VGPU_PARAMS_PATTERN, REG_EXTENDED | REG_NOSUB) != 0)
        abort();
    bool fits =
        strlen(text) <= VGPU_PARAMS_MAX && regexec(&pattern, text, 0, NULL, 0) == 0;
    regfree(&pattern);
    return fits ? 0
                : error_set(
                      err, ERROR_INVALID,
                      "'%s' is no list of parameters; expected " VGPU_PARAMS_ACCEPTED
                      "; '' clears them",
                      text);
}

/* Only blanks clear them, as in the driver's file. */
static const char *trimmed(const char *text)
{
    return text[strspn(text, " \t")] ? text : "";
}

static int set(const struct command_context *context, const struct config *config,
               const char *device, const char *text, struct error *err)
{
    const struct order order = {.kind = ORDER_PARAMETERS,
                                .device = (char *)device,
                                .parameters = (char *)trimmed(text)};
    _cleanup_free_ char *ignored = NULL;
    if (check_text(order.parameters, err) != 0)
        return -1;
    return command_give_order(context, config, &order, &ignored, err) == 0
               ? 0
               : error_prefix(err, "%s", device);
}

/* ---- the command ---- */

static int look(const struct command_context *context, const struct config *config,
                const struct host *host, char **argv, int argc, struct error *err)
{
    _cleanup_free_ char *device = NULL, *shown = NULL;
    if (command_find_device(config, host, argv[1], &device, err) != 0)
        return -1;
    if (argc > 2 && set(context, config, device, argv[2], err) != 0)
        return -1;
    if (read_parameters(config, host, device, &shown, err) != 0)
        return -1;
    return print(device, shown, context->format);
}

static int run(const struct command_context *context, int argc, char **argv)
{
    _cleanup_(config_freep) struct config *config = NULL;
    _cleanup_(host_freep) struct host *host = NULL;
    struct error err;
    int status = command_look_at_host(context, &config, &host);
    if (status != EX_OK)
        return status;
    status = look(context, config, host, argv, argc, &err);
    return status < 0 ? command_fail(&err) : status;
}

const struct command command_params = {
    .name = "params",
    .argument = "DEVICE",
    .more_argument = "TEXT",
    .summary = "shows the parameters of a device (vgpu_params), sets or clears them",
    .run = run,
};
