/* vgpu-agent drain GPU|all, undrain GPU|all: keeps new consumers from a GPU, whose
 * devices stay, or ends that. The request is a file (agent/state/requests.h), so both work
 * whether the daemon runs or not. */
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "agent/command/ask_daemon.h"
#include "agent/command/gpu_argument.h"
#include "agent/report/gpu_status.h"
#include "agent/state/requests.h"
#include "lib/json_write.h"
#include "lib/xalloc.h"

#define ALL_GPUS "all"

struct drained_gpu {
    char *gpu;
    bool changed; /* the request did not stand, or stood, before */
};

struct draining {
    bool drain; /* drain; false: undrain */
    bool all;   /* not one GPU that was named */
    struct drained_gpu *gpus;
    size_t count;
    bool done;     /* Placement has the new values */
    char *pending; /* why not yet; NULL: no reason */
};

static void draining_clear(struct draining *draining)
{
    for (size_t i = 0; i < draining->count; i++)
        free(draining->gpus[i].gpu);
    free(draining->gpus);
    free(draining->pending);
}

static void add_gpu(struct draining *draining, const char *gpu)
{
    array_add(draining->gpus, draining->count)->gpu = xstrdup(gpu);
}

/* ---- which GPUs ---- */

/* Adds the names of GPUs that need not be on the host: drained and configured ones, and
 * those of the host's providers. */
static void add_known(const struct command_session *session, struct gpu_names *names)
{
    names->gpus = strlist_copy(session->cycle.drained);
    gpu_names_add_config(names, session->config);
    gpu_names_add_cycle(names, &session->cycle);
}

static int check_mode(const struct command_session *session, bool drain,
                      struct error *err)
{
    if (!drain || session->config->agent.mode == MODE_OWNER)
        return 0;
    return error_set(err, ERROR_INVALID,
                     "in %s mode nova-compute keeps the inventory: disable the "
                     "compute service, or take the GPU out of its %s",
                     agent_mode_name(session->config->agent.mode),
                     session->config->agent.mode == MODE_NOVA ? "device_addresses"
                                                              : "[pci] device_spec");
}

/* All that are configured are drained, and all that are drained are undrained. */
static int find_all(const struct command_session *session, struct draining *draining,
                    struct error *err)
{
    const struct desired_tree *desired = session->cycle.desired;
    const struct strlist *drained = session->cycle.drained;
    _cleanup_strlist_ struct strlist names = {0};
    for (size_t i = 0; draining->drain && desired && i < desired->provider_count; i++)
        strlist_add_unique(&names, desired->providers[i].gpu_name);
    for (size_t i = 0; !draining->drain && i < drained->count; i++)
        strlist_add_unique(&names, drained->items[i]);
    for (size_t i = 0; i < names.count; i++)
        add_gpu(draining, names.items[i]);
    if (draining->drain && !desired)
        return error_set(err, ERROR_UNREACHABLE,
                         "Placement could not be read, so that it is not known which "
                         "GPUs have a provider: name one");
    return 0;
}

static int find_gpus(const struct command_session *session, const char *asked,
                     struct draining *draining, struct error *err)
{
    draining->all = strcmp(asked, ALL_GPUS) == 0;
    if (draining->all)
        return find_all(session, draining, err);
    _cleanup_gpu_names_ struct gpu_names names = {0};
    _cleanup_free_ char *gpu = NULL;
    add_known(session, &names);
    if (gpu_argument_name(session->cycle.host, &names, asked, &gpu, err) != 0)
        return -1;
    add_gpu(draining, gpu);
    return 0;
}

/* ---- waiting for the daemon ---- */

static void wait_for_daemon(struct command_session *session, struct draining *draining)
{
    _cleanup_strlist_ struct strlist names = {0};
    for (size_t i = 0; i < draining->count; i++)
        strlist_add(&names, draining->gpus[i].gpu);
    if (names.count)
        draining->pending = command_wait_for_gpus(session, &names);
    draining->done = !draining->pending;
}

/* ---- the result ---- */

/* The status of the GPU; NULL: it is not known. */
static const struct gpu_status *find(const struct gpu_status_list *list,
                                     const char *gpu)
{
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->items[i].gpu, gpu) == 0 && list->items[i].known)
            return &list->items[i];
    return NULL;
}

static void write_gpu(struct json_writer *w, const struct draining *draining,
                      const struct drained_gpu *drained, const struct gpu_status *gpu)
{
    json_write_begin_object(w);
    json_write_string_member(w, "gpu", drained->gpu);
    json_write_bool_member(w, "drained", draining->drain);
    json_write_bool_member(w, "changed", drained->changed);
    json_write_bool_member(w, "done", draining->done);
    json_write_string_member(w, "pending", draining->pending);
    json_write_known_int_member(w, "used", gpu != NULL, gpu ? gpu->used : 0);
    json_write_end_object(w);
}

/* An object for a GPU that was named, an array for all. */
static int print_json(const struct draining *draining,
                      const struct gpu_status_list *list)
{
    struct json_writer w = {0};
    if (draining->all)
        json_write_begin_array(&w);
    for (size_t i = 0; i < draining->count; i++)
        write_gpu(&w, draining, &draining->gpus[i], find(list, draining->gpus[i].gpu));
    if (draining->all)
        json_write_end_array(&w);
    _cleanup_free_ char *text = json_writer_take(&w, NULL);
    return puts(text);
}

static int print_gpu(const struct draining *draining, const struct drained_gpu *drained,
                     const struct gpu_status *gpu)
{
    const char *already = drained->changed ? "" : "already ";
    if (!draining->done)
        return command_tell("%s is %sto be %s: %s", drained->gpu, already,
                            draining->drain ? "drained" : "put back to service",
                            draining->pending);
    if (!draining->drain && gpu && gpu->service != GPU_ACTIVE && gpu->reason)
        return command_tell("%s is not drained, but %s: %s", drained->gpu,
                            gpu_service_name(gpu->service), gpu->reason);
    if (!draining->drain)
        return command_tell("%s is %sin service", drained->gpu, already);
    _cleanup_free_ char *used =
        gpu ? xasprintf("; %lld in use", (long long)gpu->used) : xstrdup("");
    return command_tell("%s is %sdrained: nobody new gets it%s", drained->gpu, already,
                        used);
}

static int print_text(const struct draining *draining,
                      const struct gpu_status_list *list)
{
    int rc = 0;
    if (draining->count == 0)
        return puts(draining->drain ? "no GPU is configured" : "no GPU is drained");
    for (size_t i = 0; i < draining->count && rc >= 0; i++)
        rc = print_gpu(draining, &draining->gpus[i], find(list, draining->gpus[i].gpu));
    return rc;
}

static int show(const struct command_session *session, const struct draining *draining,
                enum output_format format)
{
    _cleanup_gpus_ struct gpu_status_list list = {0};
    if (session->cycle.host)
        gpu_status_make(&session->cycle, &list);
    int rc = format == FORMAT_JSON ? print_json(draining, &list)
                                   : print_text(draining, &list);
    if (rc < 0 || fflush(stdout) != 0)
        return EX_IOERR;
    return draining->done ? EX_OK : EXIT_FAILURE;
}

/* ---- the commands ---- */

static int give_requests(struct command_session *session, struct draining *draining,
                         struct error *err)
{
    const char *state_file = session->config->agent.state_file;
    for (size_t i = 0; i < draining->count; i++) {
        struct drained_gpu *drained = &draining->gpus[i];
        if ((draining->drain ? requests_give : requests_withdraw)(
                state_file, REQUEST_DRAINED, drained->gpu, &drained->changed, err) != 0)
            return -1;
    }
    return 0;
}

/* `undrain GPU` also gives back what somebody else has reserved. Only the one who has the
 * state file can: it says how much of what is reserved is the agent's. */
static int free_reserved(struct command_session *session, struct draining *draining,
                         struct error *err)
{
    _cleanup_gpus_ struct gpu_status_list list = {0};
    if (draining->drain || draining->all || draining->gpus->changed)
        return 0;
    gpu_status_make(&session->cycle, &list);
    for (size_t i = 0; i < list.count && !draining->gpus->changed; i++)
        draining->gpus->changed = list.items[i].others_reserved > 0 &&
                                  strcmp(list.items[i].gpu, draining->gpus->gpu) == 0;
    if (!draining->gpus->changed)
        return 0;
    return requests_give(session->config->agent.state_file, REQUEST_UNRESERVE,
                         draining->gpus->gpu, NULL, err);
}

/* When Placement cannot be reached, the request is made nevertheless. */
static int look(struct command_session *session, struct error *err)
{
    int rc = cycle_look(session->agent, agent_now(session->agent), false,
                        &session->cycle, err);
    return session->cycle.round_count ? 0 : rc;
}

static int run(const struct command_context *context, const char *asked, bool drain)
{
    _cleanup_session_ struct command_session session = {.lenient = true};
    int status = command_session_open(&session, context, AGENT_LOOKS);
    if (status != EX_OK)
        return status;
    struct draining draining = {.drain = drain};
    struct error err;
    if (look(&session, &err) != 0 || check_mode(&session, drain, &err) != 0 ||
        find_gpus(&session, asked, &draining, &err) != 0 ||
        give_requests(&session, &draining, &err) != 0 ||
        free_reserved(&session, &draining, &err) != 0) {
        status = command_fail(&err);
    } else {
        wait_for_daemon(&session, &draining);
        status = show(&session, &draining, context->format);
    }
    draining_clear(&draining);
    return status;
}

static int run_drain(const struct command_context *context, int argc, char **argv)
{
    (void)argc;
    return run(context, argv[1], true);
}

static int run_undrain(const struct command_context *context, int argc, char **argv)
{
    (void)argc;
    return run(context, argv[1], false);
}

const struct command command_drain = {
    .name = "drain",
    .argument = "GPU|" ALL_GPUS,
    .summary = "nobody new gets the GPU, or any of them; devices stay",
    .run = run_drain,
};

const struct command command_undrain = {
    .name = "undrain",
    .argument = "GPU|" ALL_GPUS,
    .summary = "takes `drain` back",
    .run = run_undrain,
};
