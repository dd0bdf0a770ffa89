#include "agent/report/status_json.h"

#include <string.h>
#include <unistd.h>

#include "agent/plan/steps/text.h"
#include "lib/xalloc.h"

void status_json_gpu(struct json_writer *w, const struct gpu_status *gpu)
{
    json_write_string_member(w, "gpu", gpu->gpu);
    json_write_string_member(w, "provider", gpu->provider_name);
    json_write_string_member(w, "type", gpu->type_id);
    json_write_string_member(w, "class", gpu->resource_class);
    json_write_string_member(w, "service",
                             gpu->known ? gpu_service_name(gpu->service) : NULL);
    json_write_string_member(w, "health", gpu_health_name(gpu->health));
    json_write_known_int_member(w, "total", gpu->known, gpu->total);
    json_write_known_int_member(w, "used", gpu->known, gpu->used);
    json_write_known_int_member(w, "reserved", gpu->known, gpu->reserved);
    json_write_string_member(w, "reason", gpu->reason);
}

bool status_json_shows(const struct gpu_status *gpu)
{
    return gpu->provider_name || gpu->service != GPU_UNUSED;
}

void status_json_allocations(struct json_writer *w, bool known,
                             const size_t counts[ALLOCATION_FAILED + 1])
{
    json_write_key(w, "allocations");
    json_write_begin_object(w);
    for (int i = 0; i <= ALLOCATION_FAILED; i++) {
        _cleanup_free_ char *name =
            xstrdup(allocation_state_name((enum allocation_state)i));
        for (char *p = strchr(name, ' '); p; p = strchr(p, ' '))
            *p = '_';
        json_write_known_int_member(w, name, known, (int64_t)counts[i]);
    }
    json_write_end_object(w);
}

void status_json_guests(struct json_writer *w, const struct guests_report *report)
{
    static const struct guests nothing;
    const struct guests *guests = report ? &report->guests : &nothing;
    json_write_key(w, "guests");
    json_write_begin_object(w);
    for (enum guest_state state = GUEST_ABSENT; state <= GUEST_FAILED; state++)
        json_write_known_int_member(w, guest_state_name(state), report != NULL,
                                    (int64_t)guests_count(guests, &state));
    json_write_known_int_member(w, "unknown", report != NULL,
                                (int64_t)guests_count(guests, NULL));
    json_write_end_object(w);
    json_write_key(w, "attach");
    json_write_begin_object(w);
    json_write_key(w, "on");
    if (report)
        json_write_bool(w, report->attaches);
    else
        json_write_null(w);
    json_write_string_member(w, "reason", report ? report->reason : NULL);
    json_write_end_object(w);
}

/* ---- /status.json ---- */

static void write_gpus(struct json_writer *w, const struct status_feed *feed)
{
    json_write_key(w, "gpus");
    json_write_begin_array(w);
    for (size_t i = 0; i < feed->gpus->count; i++) {
        const struct gpu_status *gpu = &feed->gpus->items[i];
        if (!status_json_shows(gpu))
            continue;
        json_write_begin_object(w);
        status_json_gpu(w, gpu);
        json_write_string_member(w, "type_name", gpu->type_name);
        json_write_known_int_member(w, "devices", gpu->health != GPU_UNREADABLE,
                                    gpu->devices);
        json_write_end_object(w);
    }
    json_write_end_array(w);
}

/* As a row of `allocations`. */
static void write_consumer(struct json_writer *w, const struct status_feed *feed,
                           const struct overview_allocation *allocation)
{
    const struct guest_row *row =
        feed->guests ? guests_find(&feed->guests->guests, allocation->consumer) : NULL;
    json_write_begin_object(w);
    json_write_string_member(w, "consumer", allocation->consumer);
    json_write_string_member(w, "gpu", allocation->gpu);
    json_write_string_member(w, "provider", allocation->provider_name);
    json_write_string_member(w, "class", allocation->resource_class);
    json_write_int_member(w, "units", allocation->units);
    json_write_key(w, "mdevs");
    json_write_strings(w, &allocation->devices);
    json_write_string_member(w, "state", allocation_state_name(allocation->state));
    json_write_string_member(w, "guest", row ? guest_row_state(row) : NULL);
    json_write_known_int_member(w, "guest_since", row != NULL, row ? row->since : 0);
    json_write_string_member(w, "guest_reason", row ? row->reason : NULL);
    json_write_string_member(w, "reason", allocation->reason);
    json_write_end_object(w);
}

static void write_consumers(struct json_writer *w, const struct status_feed *feed)
{
    json_write_key(w, "consumers");
    if (!feed->overview->known) {
        json_write_null(w);
        return;
    }
    json_write_begin_array(w);
    for (size_t i = 0; i < feed->overview->count; i++)
        write_consumer(w, feed, &feed->overview->allocations[i]);
    json_write_end_array(w);
}

static void write_problems(struct json_writer *w, const struct status_feed *feed)
{
    json_write_key(w, "problems");
    json_write_begin_array(w);
    if (feed->failure)
        json_write_string(w, feed->failure);
    for (size_t i = 0; i < feed->problems->count; i++)
        json_write_string(w, feed->problems->items[i].text);
    json_write_end_array(w);
}

/* Whether all that should be known is known, and nothing is wrong. */
static bool is_well(const struct status_feed *feed)
{
    return feed->cycle_end && feed->seen && !feed->overdue && !feed->failure &&
           feed->problems->count == 0;
}

char *status_feed_text(const struct status_feed *feed)
{
    const struct overview *overview = feed->overview;
    int64_t silent = feed->time > feed->cycle_end ? feed->time - feed->cycle_end : 0;
    struct json_writer w = {0};
    json_write_begin_object(&w);
    json_write_string_member(&w, "program", "vgpu-agent");
    json_write_string_member(&w, "version", VERSION);
    json_write_int_member(&w, "time", feed->time);
    json_write_bool_member(&w, "well", is_well(feed));
    json_write_string_member(&w, "mode", agent_mode_name(feed->mode));
    json_write_string_member(&w, "host", overview->root_name);
    json_write_string_member(&w, "root",
                             *overview->root_uuid ? overview->root_uuid : NULL);
    json_write_int_member(&w, "daemon_pid", getpid());
    json_write_known_int_member(&w, "daemon_silent_seconds", feed->cycle_end != 0,
                                silent);
    json_write_bool_member(&w, "overdue", feed->overdue);
    json_write_known_int_member(&w, "seen", feed->seen != 0, feed->seen);
    json_write_bool_member(&w, "current", feed->seen && !feed->failure);
    write_gpus(&w, feed);
    status_json_allocations(&w, feed->counts_known, feed->counts);
    status_json_guests(&w, feed->guests);
    write_consumers(&w, feed);
    write_problems(&w, feed);
    json_write_end_object(&w);
    return json_writer_take(&w, NULL);
}
