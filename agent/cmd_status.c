/* vgpu-agent status: is all well, and what is not, on one screen. */
#include <string.h>
#include <sysexits.h>
#include <time.h>

#include "agent/command_session.h"
#include "agent/instance_lock.h"
#include "agent/plan_text.h"
#include "lib/json_write.h"
#include "lib/xalloc.h"

struct status {
    const struct cycle *cycle;
    pid_t daemon;                              /* 0: none runs */
    struct error placement;                    /* code NONE: it answers */
    size_t allocations[ALLOCATION_FAILED + 1]; /* by state */
    struct notices problems;
};

/* ---- what there is ---- */

/* One GPU that has, or should have, a provider. */
struct gpu_status {
    const struct desired_provider *provider;
    const char *health;
    int64_t total, used, reserved;
};

static struct gpu_status gpu_status(const struct cycle *cycle,
                                    const struct desired_provider *provider)
{
    struct gpu_status status = {.provider = provider};
    status.health = gpu_health_name(provider->gpu ? provider->gpu->health : GPU_GONE);
    const struct observed_provider *seen =
        observed_by_uuid(cycle->observed, provider->uuid);
    for (size_t i = 0; seen && i < seen->inventory_count; i++)
        if (strcmp(seen->inventories[i].resource_class, provider->resource_class) ==
            0) {
            status.total = seen->inventories[i].inventory.total;
            status.reserved = seen->inventories[i].inventory.reserved;
        }
    for (size_t i = 0; seen && i < seen->allocation_count; i++)
        if (strcmp(seen->allocations[i].resource_class, provider->resource_class) == 0)
            status.used += seen->allocations[i].amount;
    return status;
}

static size_t gpu_count(const struct status *status)
{
    return status->cycle->observed ? status->cycle->desired->provider_count : 0;
}

static void add_problems(struct status *status)
{
    if (status->daemon == 0)
        notices_add(&status->problems, NULL, "the daemon does not run");
    if (status->placement.code != ERROR_NONE)
        notices_add(&status->problems, NULL, status->placement.text);
    cycle_problems(status->cycle, &status->problems);
}

/* ---- for people ---- */

static void print_placement(const struct status *status)
{
    const struct observed *observed = status->cycle->observed;
    if (!observed)
        printf("Placement    cannot be read\n");
    else if (observed->root_found)
        printf("Placement    %s (%s)\n", observed->root_name, observed->root_uuid);
    else
        printf("Placement    has no provider for this host yet (%s)\n",
               observed->root_name);
}

static void print_allocations(const struct status *status)
{
    _cleanup_strlist_ struct strlist parts = {0};
    for (int i = 0; i <= ALLOCATION_FAILED; i++)
        if (status->allocations[i] > 0)
            strlist_add_take(
                &parts, xasprintf("%zu %s", status->allocations[i],
                                  allocation_state_name((enum allocation_state)i)));
    _cleanup_free_ char *text = strlist_join(&parts, ", ");
    printf("allocations  %s\n", parts.count ? text : "none");
}

static void print_gpus(const struct status *status)
{
    static const char *const columns[] = {"gpu",   "type", "class",    "health",
                                          "total", "used", "reserved", NULL};
    _cleanup_(table_freep) struct table *table = table_new(columns);
    for (size_t i = 0; i < gpu_count(status); i++) {
        struct gpu_status gpu =
            gpu_status(status->cycle, &status->cycle->desired->providers[i]);
        table_string(table, gpu.provider->gpu_name);
        table_string(table, gpu.provider->type_id);
        table_string(table, gpu.provider->resource_class);
        table_string(table, gpu.health);
        table_int(table, gpu.total);
        table_int(table, gpu.used);
        table_int(table, gpu.reserved);
    }
    if (gpu_count(status) > 0)
        table_print(table, FORMAT_TABLE, stdout);
}

static void print_text(const struct status *status)
{
    if (status->daemon > 0)
        printf("daemon       runs (pid %ld)\n", (long)status->daemon);
    else
        printf("daemon       does not run\n");
    print_placement(status);
    print_allocations(status);
    print_gpus(status);
    puts(status->problems.count ? "not well:" : "all is well");
    for (size_t i = 0; i < status->problems.count; i++)
        printf("  %s\n", status->problems.items[i].text);
}

/* ---- for programs ---- */

static void write_gpu(struct json_writer *w, const struct gpu_status *gpu)
{
    json_write_begin_object(w);
    json_write_string_member(w, "gpu", gpu->provider->gpu_name);
    json_write_string_member(w, "type", gpu->provider->type_id);
    json_write_string_member(w, "class", gpu->provider->resource_class);
    json_write_string_member(w, "health", gpu->health);
    json_write_int_member(w, "total", gpu->total);
    json_write_int_member(w, "used", gpu->used);
    json_write_int_member(w, "reserved", gpu->reserved);
    json_write_end_object(w);
}

static void write_lists(struct json_writer *w, const struct status *status)
{
    json_write_key(w, "gpus");
    json_write_begin_array(w);
    for (size_t i = 0; i < gpu_count(status); i++) {
        struct gpu_status gpu =
            gpu_status(status->cycle, &status->cycle->desired->providers[i]);
        write_gpu(w, &gpu);
    }
    json_write_end_array(w);
    json_write_key(w, "allocations");
    json_write_begin_object(w);
    for (int i = 0; i <= ALLOCATION_FAILED; i++) {
        _cleanup_free_ char *name =
            xstrdup(allocation_state_name((enum allocation_state)i));
        for (char *p = strchr(name, ' '); p; p = strchr(p, ' '))
            *p = '_';
        json_write_int_member(w, name, (int64_t)status->allocations[i]);
    }
    json_write_end_object(w);
    json_write_key(w, "problems");
    json_write_begin_array(w);
    for (size_t i = 0; i < status->problems.count; i++)
        json_write_string(w, status->problems.items[i].text);
    json_write_end_array(w);
}

static void print_json(const struct status *status)
{
    const struct observed *observed = status->cycle->observed;
    struct json_writer w = {0};
    json_write_begin_object(&w);
    json_write_bool_member(&w, "well", status->problems.count == 0);
    json_write_int_member(&w, "daemon_pid", status->daemon);
    json_write_string_member(
        &w, "root", observed && observed->root_found ? observed->root_uuid : NULL);
    write_lists(&w, status);
    json_write_end_object(&w);
    _cleanup_free_ char *text = json_writer_take(&w, NULL);
    puts(text);
}

/* ---- the command ---- */

static void count_allocations(struct status *status)
{
    const struct plan *plan = cycle_plan(status->cycle);
    for (size_t i = 0; i < plan->allocation_count; i++)
        status->allocations[plan->allocations[i].state]++;
}

static int show(const struct status *status, enum output_format format)
{
    if (format == FORMAT_JSON)
        print_json(status);
    else
        print_text(status);
    if (fflush(stdout) != 0)
        return EX_IOERR;
    return status->problems.count == 0 ? EX_OK : 1;
}

static int run(const struct command_context *context, int argc, char **argv)
{
    (void)argc, (void)argv;
    _cleanup_session_ struct command_session session = {0};
    int result = command_session_open(&session, context, AGENT_LOOKS);
    if (result != EX_OK)
        return result;
    struct status status = {.cycle = &session.cycle};
    struct error err;
    if (cycle_look(session.agent, time(NULL), true, &session.cycle,
                   &status.placement) != 0 &&
        session.cycle.round_count == 0)
        return command_fail(&status.placement);
    if (instance_lock_holder(session.config->agent.state_file, &status.daemon, &err) !=
        0)
        return command_fail(&err);
    count_allocations(&status);
    add_problems(&status);
    result = show(&status, context->format);
    notices_clear(&status.problems);
    return result;
}

const struct command command_status = {
    .name = "status",
    .arguments = "",
    .summary = "is all well, and what is not; exit status 1 when something is not",
    .run = run,
};
