#include "agent/command/view.h"

/* Whether somebody new can come onto the GPU. */
static enum tone service_tone(const struct gpu_status *gpu)
{
    if (!gpu->known || gpu->service == GPU_UNUSED)
        return TONE_PLAIN;
    if (gpu->service == GPU_ACTIVE)
        return TONE_GOOD;
    return gpu->wrong ? TONE_BAD : TONE_WARNING;
}

static enum tone health_tone(const struct gpu_status *gpu)
{
    return gpu->health == GPU_OK ? TONE_GOOD : TONE_BAD;
}

enum tone view_allocation_tone(enum allocation_state state)
{
    switch (state) {
    case ALLOCATION_READY:
    case ALLOCATION_IN_USE:
        return TONE_GOOD;
    case ALLOCATION_FAILED:
        return TONE_BAD;
    case ALLOCATION_PENDING:
    case ALLOCATION_MIGRATING:
    case ALLOCATION_RELEASING:
        break;
    }
    return TONE_WARNING;
}

void view_add_state(struct table *table, const struct gpu_status *gpu)
{
    table_string(table, gpu->known ? gpu_service_name(gpu->service) : NULL);
    table_tone(table, service_tone(gpu));
    table_string(table, gpu_health_name(gpu->health));
    table_tone(table, health_tone(gpu));
}

static void add_number(struct table *table, bool known, int64_t number)
{
    if (known)
        table_int(table, number);
    else
        table_none(table);
}

void view_add_numbers(struct table *table, const struct style *style,
                      const struct gpu_status *gpu, bool known)
{
    add_number(table, known, gpu->total);
    add_number(table, known, gpu->used);
    if (known) {
        _cleanup_free_ char *bar =
            style_bar(style, gpu->used, gpu->reserved, gpu->total);
        table_bar(table, bar);
    }
    add_number(table, known, gpu->reserved);
}
