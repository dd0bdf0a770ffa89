/*
 * status_json: how a host stands, as JSON: the parts that `vgpu-agent status` and the
 * daemon's /status.json share, under the same names. Stateless.
 */
#ifndef AGENT_REPORT_STATUS_JSON_H
#define AGENT_REPORT_STATUS_JSON_H

#include "agent/report/gpu_status.h"
#include "agent/report/guests_file.h"
#include "agent/report/overview.h"
#include "lib/json_write.h"

/* The members of a GPU's object, which the caller begins and ends. */
void status_json_gpu(struct json_writer *w, const struct gpu_status *gpu);
/* A GPU that is not configured and has no provider, such as the board's VGA chip, is
 * not shown. */
bool status_json_shows(const struct gpu_status *gpu);
/* The member "allocations": the number of each state, null where that is not `known`. */
void status_json_allocations(struct json_writer *w, bool known,
                             const size_t counts[ALLOCATION_FAILED + 1]);
/* The members "guests" and "attach"; `report` NULL: not known. */
void status_json_guests(struct json_writer *w, const struct guests_report *report);

/* What the daemon says at /status.json. All is borrowed. */
struct status_feed {
    enum agent_mode mode;
    int64_t time;      /* now, in seconds since the epoch */
    int64_t cycle_end; /* of the last cycle, likewise; 0: none has ended */
    int64_t seen;      /* of the last one that could see host and Placement; 0: none */
    bool overdue;      /* the next cycle should have ended long ago */
    const char *failure; /* why the last cycle could not look; NULL: it could */
    const struct gpu_status_list *gpus;
    bool counts_known;
    const size_t *counts; /* of allocations, by state */
    const struct overview *overview;
    const struct guests_report *guests; /* NULL: not known */
    const struct problem_list *problems;
};

/* The whole text; the caller frees. */
char *status_feed_text(const struct status_feed *feed);

#endif
