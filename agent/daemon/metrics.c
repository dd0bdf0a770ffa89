#include "agent/daemon/metrics.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "agent/plan/steps/text.h"
#include "lib/xalloc.h"

#define NOVA_OVERDUE 600000 /* milliseconds */

/* ---- counting what a cycle did ---- */

static void count_errors(struct metrics *metrics, const struct cycle *cycle)
{
    for (size_t i = 0; i < cycle->round_count; i++) {
        const struct execution *execution = cycle->rounds[i].execution;
        for (size_t j = 0; execution && j < execution->count; j++)
            if (execution->results[j].outcome == STEP_FAILED)
                metrics->errors[execution->results[j].code]++;
    }
}

static bool is_waiting(const struct allocation_status *status)
{
    return status->state == ALLOCATION_PENDING || status->state == ALLOCATION_FAILED;
}

static bool is_same(const struct metrics_waiting *waiting,
                    const struct allocation_status *status)
{
    return strcmp(waiting->consumer, status->consumer) == 0 &&
           strcmp(waiting->provider, status->provider) == 0 &&
           strcmp(waiting->resource_class, status->resource_class) == 0;
}

static int64_t since_when(const struct metrics *metrics,
                          const struct allocation_status *status, int64_t now)
{
    for (size_t i = 0; i < metrics->waiting_count; i++)
        if (is_same(&metrics->waiting[i], status))
            return metrics->waiting[i].since;
    return now;
}

static void clear_waiting(struct metrics_waiting *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(list[i].resource_class);
    free(list);
}

static void note_allocations(struct metrics *metrics, const struct plan *plan,
                             int64_t now)
{
    struct metrics_waiting *list = NULL;
    size_t count = 0;
    memset(metrics->allocations, 0, sizeof metrics->allocations);
    metrics->allocations_known = !plan->other_root;
    for (size_t i = 0; i < plan->allocation_count; i++) {
        const struct allocation_status *status = &plan->allocations[i];
        metrics->allocations[status->state]++;
        if (!is_waiting(status))
            continue;
        struct metrics_waiting *waiting = array_add(list, count);
        uuid_text_copy(waiting->consumer, status->consumer);
        uuid_text_copy(waiting->provider, status->provider);
        waiting->resource_class = xstrdup(status->resource_class);
        waiting->at_nova = status->at_nova;
        waiting->since = since_when(metrics, status, now);
    }
    clear_waiting(metrics->waiting, metrics->waiting_count);
    metrics->waiting = list;
    metrics->waiting_count = count;
}

static bool is_same_gpu(const struct gpu_status *old, const struct gpu_status *now)
{
    return strcmp(old->gpu, now->gpu) == 0 && old->of_type == now->of_type &&
           (!now->type_id || (old->type_id && strcmp(old->type_id, now->type_id) == 0));
}

/* Without Placement the name of the provider is not known. The last known one keeps the
 * labels as they are, so that a series does not break off, nor an alert on it.
 * `numbers`: what was known of Placement is to stay as well. */
static void keep_known(struct gpu_status_list *now, struct gpu_status_list *old,
                       bool numbers)
{
    for (size_t i = 0; i < now->count; i++) {
        struct gpu_status *gpu = &now->items[i], *was = NULL;
        for (size_t j = 0; j < old->count && !was; j++)
            if (old->items[j].provider_name && is_same_gpu(&old->items[j], gpu))
                was = &old->items[j];
        if (!was || gpu->provider_name)
            continue;
        gpu->provider_name = steal(was->provider_name);
        if (!numbers)
            continue;
        gpu->known = was->known;
        gpu->service = was->service;
        gpu->total = was->total;
        gpu->used = was->used;
        gpu->reserved = was->reserved;
    }
}

static void note_gpus(struct metrics *metrics, const struct cycle *cycle, bool failed)
{
    struct gpu_status_list now;
    gpu_status_make(cycle, &now);
    /* Also after a failed write nothing is known of Placement, but the look before it
     * has come to its end. */
    if (!cycle->observed)
        keep_known(&now, &metrics->gpus, !failed);
    gpu_status_clear(&metrics->gpus);
    metrics->gpus = now;
}

void metrics_note_cycle(struct metrics *metrics, const struct cycle *cycle,
                        const struct error *failure, size_t problems,
                        const struct metrics_clock *clock)
{
    metrics->cycles++;
    metrics->cycle_ms += clock->cycle_took;
    metrics->last_cycle_ms = clock->cycle_took;
    metrics->problems = problems;
    /* When the host could not be scanned, the cycle sent no request to Placement. */
    if (!failure || cycle->host) {
        metrics->placement_asked = true;
        metrics->placement_up = !failure;
    }
    count_errors(metrics, cycle);
    /* What the host shows does not depend on Placement. */
    if (cycle->host && cycle->round_count)
        note_gpus(metrics, cycle, failure != NULL);
    if (failure) {
        metrics->errors[failure->code]++;
        return;
    }
    metrics->last_success = clock->now;
    note_allocations(metrics, cycle_plan(cycle), clock->monotonic);
}

void metrics_clear(struct metrics *metrics)
{
    gpu_status_clear(&metrics->gpus);
    clear_waiting(metrics->waiting, metrics->waiting_count);
    *metrics = (struct metrics){0};
}

void metrics_overdue(const struct metrics *metrics, int64_t monotonic,
                     struct problem_list *out)
{
    for (size_t i = 0; i < metrics->waiting_count; i++) {
        const struct metrics_waiting *waiting = &metrics->waiting[i];
        if (waiting->at_nova && monotonic - waiting->since >= NOVA_OVERDUE)
            problems_add_take(
                out, NULL,
                xasprintf(
                    "consumer %s on %s: nova-compute has made no device for it in "
                    "%d minutes: has it the same [devices], and was it started "
                    "anew since?",
                    waiting->consumer, waiting->provider, NOVA_OVERDUE / 60000));
    }
}

/* ---- the text ---- */

static void family(FILE *out, const char *name, const char *type, const char *help)
{
    fprintf(out, "# HELP vgpu_agent_%s %s\n# TYPE vgpu_agent_%s %s\n", name, help, name,
            type);
}

/* Escapes the value as Prometheus demands. NULL becomes the empty label, which means
 * the same as none. */
static void label(FILE *out, const char *separator, const char *name, const char *value)
{
    fprintf(out, "%s%s=\"", separator, name);
    for (const char *p = value ? value : ""; *p; p++)
        if (*p == '\n')
            fputs("\\n", out);
        else
            fprintf(out, *p == '"' || *p == '\\' ? "\\%c" : "%c", *p);
    fputc('"', out);
}

static void single(FILE *out, const char *name, const char *type, const char *help,
                   const char *format, ...) __attribute__((format(printf, 5, 6)));
static void single(FILE *out, const char *name, const char *type, const char *help,
                   const char *format, ...)
{
    family(out, name, type, help);
    fprintf(out, "vgpu_agent_%s ", name);
    va_list args;
    va_start(args, format);
    vfprintf(out, format, args);
    va_end(args);
    fputc('\n', out);
}

static void begin_gpu(FILE *out, const char *name, const struct gpu_status *gpu)
{
    fprintf(out, "vgpu_agent_%s", name);
    label(out, "{", "gpu", gpu->gpu);
    label(out, ",", "provider", gpu->provider_name);
}

static void write_gpu_info(FILE *out, const struct metrics *metrics)
{
    family(out, "gpu_info", "gauge",
           "A GPU, with its provider and the type that is configured for it.");
    for (size_t i = 0; i < metrics->gpus.count; i++) {
        const struct gpu_status *gpu = &metrics->gpus.items[i];
        begin_gpu(out, "gpu_info", gpu);
        label(out, ",", "type", gpu->type_id);
        label(out, ",", "type_name", gpu->type_name);
        label(out, ",", "resource_class", gpu->resource_class);
        fputs("} 1\n", out);
    }
}

static int64_t total_of(const struct gpu_status *gpu)
{
    return gpu->total;
}

static int64_t used_of(const struct gpu_status *gpu)
{
    return gpu->used;
}

static int64_t reserved_of(const struct gpu_status *gpu)
{
    return gpu->reserved;
}

static void write_units(FILE *out, const struct metrics *metrics, const char *name,
                        const char *help, int64_t (*number)(const struct gpu_status *))
{
    family(out, name, "gauge", help);
    for (size_t i = 0; i < metrics->gpus.count; i++) {
        const struct gpu_status *gpu = &metrics->gpus.items[i];
        if (!gpu->resource_class || !gpu->known)
            continue;
        begin_gpu(out, name, gpu);
        label(out, ",", "resource_class", gpu->resource_class);
        fprintf(out, "} %" PRId64 "\n", number(gpu));
    }
}

static void write_health(FILE *out, const struct metrics *metrics)
{
    family(out, "gpu_health", "gauge", "1 at the state that the GPU is in.");
    for (size_t i = 0; i < metrics->gpus.count; i++)
        for (int state = GPU_OK; state <= GPU_UNUSABLE; state++) {
            const struct gpu_status *gpu = &metrics->gpus.items[i];
            begin_gpu(out, "gpu_health", gpu);
            label(out, ",", "health", gpu_health_name((enum gpu_health)state));
            fprintf(out, "} %d\n", gpu->health == (enum gpu_health)state);
        }
}

static void write_service(FILE *out, const struct metrics *metrics)
{
    family(out, "gpu_service", "gauge",
           "1 at whether somebody new can come onto the GPU, or why not.");
    for (size_t i = 0; i < metrics->gpus.count; i++)
        for (int state = 0; state < GPU_SERVICES; state++) {
            const struct gpu_status *gpu = &metrics->gpus.items[i];
            if (!gpu->known)
                continue;
            begin_gpu(out, "gpu_service", gpu);
            label(out, ",", "service", gpu_service_name((enum gpu_service)state));
            fprintf(out, "} %d\n", gpu->service == (enum gpu_service)state);
        }
}

static void write_gpus(FILE *out, const struct metrics *metrics)
{
    write_gpu_info(out, metrics);
    write_units(out, metrics, "gpu_capacity", "Total of the inventory in Placement.",
                total_of);
    write_units(out, metrics, "gpu_used", "Units that are allocated in Placement.",
                used_of);
    write_units(out, metrics, "gpu_reserved", "Units that are reserved in Placement.",
                reserved_of);
    write_health(out, metrics);
    write_service(out, metrics);
}

/* The counts are left out until a cycle has seen the allocations, since 0 would be
 * wrong. */
static void write_allocations(FILE *out, const struct metrics *metrics, int64_t now)
{
    if (!metrics->allocations_known)
        return;
    family(out, "allocations", "gauge", "Allocations on this host by their state.");
    for (int i = 0; i <= ALLOCATION_FAILED; i++) {
        fputs("vgpu_agent_allocations", out);
        label(out, "{", "state", allocation_state_name((enum allocation_state)i));
        fprintf(out, "} %zu\n", metrics->allocations[i]);
    }
    int64_t oldest = 0;
    for (size_t i = 0; i < metrics->waiting_count; i++)
        if (now - metrics->waiting[i].since > oldest)
            oldest = now - metrics->waiting[i].since;
    single(
        out, "oldest_pending_seconds", "gauge",
        "For how long the allocation that waits longest (pending or failed) has been "
        "without its devices.",
        "%.3f", (double)oldest / 1000);
}

/* Left out until the guests were looked at, since 0 would be wrong. */
static void write_guests(FILE *out, const struct metrics_guests *guests)
{
    if (!guests->known)
        return;
    family(out, "guests", "gauge",
           "Consumers with allocations on this host by how their guests stand.");
    for (int i = 0; i <= GUEST_FAILED; i++) {
        fputs("vgpu_agent_guests", out);
        label(out, "{", "state", guest_state_name((enum guest_state)i));
        fprintf(out, "} %zu\n", guests->states[i]);
    }
    fprintf(out, "vgpu_agent_guests{state=\"unknown\"} %zu\n", guests->unknown);
    single(out, "guests_without_devices", "gauge",
           "Guests that run for more than a minute without what is allocated to them.",
           "%zu", guests->overdue);
    single(out, "attach_up", "gauge",
           "Whether the agent attaches devices, and libvirt has told of all guests.",
           "%d", guests->attaches);
    single(out, "attach_failures_total", "counter",
           "How often libvirt refused to attach a device.", "%" PRIu64,
           guests->refused);
    family(out, "definition_to_configured_seconds", "summary",
           "From a domain's definition until its configuration had its devices, where "
           "the guest had not started by then.");
    fprintf(out, "vgpu_agent_definition_to_configured_seconds_sum %.3f\n",
            (double)guests->configured_ms / 1000);
    fprintf(out, "vgpu_agent_definition_to_configured_seconds_count %" PRIu64 "\n",
            guests->configured);
}

static void write_cycles(FILE *out, const struct metrics *metrics)
{
    family(out, "cycle_seconds", "summary", "How long cycles took.");
    fprintf(out, "vgpu_agent_cycle_seconds_sum %.3f\n",
            (double)metrics->cycle_ms / 1000);
    fprintf(out, "vgpu_agent_cycle_seconds_count %" PRIu64 "\n", metrics->cycles);
    if (metrics->cycles)
        single(out, "last_cycle_seconds", "gauge", "How long the last cycle took.",
               "%.3f", (double)metrics->last_cycle_ms / 1000);
    single(out, "last_success_timestamp_seconds", "gauge",
           "When the last cycle ended that could see the host and Placement; 0: none "
           "yet.",
           "%" PRId64, metrics->last_success);
    if (metrics->cycles)
        single(out, "problems", "gauge",
               "What is not well; `vgpu-agent status` lists it.", "%zu",
               metrics->problems);
}

static void write_errors(FILE *out, const struct metrics *metrics)
{
    family(out, "errors_total", "counter",
           "Cycles that could not look, and steps that failed, by kind.");
    for (int i = ERROR_NONE + 1; i < ERROR_CODES; i++) {
        fputs("vgpu_agent_errors_total", out);
        label(out, "{", "kind", error_code_name((enum error_code)i));
        fprintf(out, "} %" PRIu64 "\n", metrics->errors[i]);
    }
}

static void write_placement(FILE *out, const struct metrics *metrics,
                            const struct metrics_extra *extra)
{
    if (metrics->placement_asked)
        single(out, "placement_up", "gauge",
               "Whether the last cycle could read Placement.", "%d",
               metrics->placement_up);
    single(out, "requests_total", "counter", "Requests sent to Placement and Keystone.",
           "%" PRIu64, extra->requests);
    if (extra->token_expires_at)
        single(out, "token_expiry_timestamp_seconds", "gauge",
               "When Keystone's token expires.", "%" PRId64, extra->token_expires_at);
}

char *metrics_text(const struct metrics *metrics, const struct metrics_extra *extra)
{
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    if (!out)
        abort();
    family(out, "build_info", "gauge", "The program's version and its mode.");
    fputs("vgpu_agent_build_info", out);
    label(out, "{", "version", VERSION);
    label(out, ",", "mode", agent_mode_name(extra->mode));
    fputs("} 1\n", out);
    single(out, "config_last_reload_successful", "gauge",
           "Whether the files as they were last read are those that it goes by.", "%d",
           !extra->reload_failed);
    write_gpus(out, metrics);
    write_allocations(out, metrics, extra->monotonic);
    write_guests(out, &metrics->guests);
    write_cycles(out, metrics);
    write_errors(out, metrics);
    write_placement(out, metrics, extra);
    if (fclose(out) != 0)
        abort();
    return text;
}
