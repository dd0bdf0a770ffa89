/*
 * metrics: what the daemon has seen and done, as Prometheus' text format has it. The
 * daemon tells of each cycle; the text is made from what is kept here, so that a scrape
 * asks neither the host nor Placement. Time comes in. One thread.
 *
 * While Placement cannot be read, what is told of GPUs and allocations is what was
 * known last; vgpu_agent_placement_up says so.
 */
#ifndef AGENT_DAEMON_METRICS_H
#define AGENT_DAEMON_METRICS_H

#include "agent/report/gpu_status.h"
#include "agent/report/problems.h"

/* An allocation that waits for a device. */
struct metrics_waiting {
    char consumer[UUID_TEXT_SIZE], provider[UUID_TEXT_SIZE];
    char *resource_class;
    bool at_nova;  /* as in struct allocation_status */
    int64_t since; /* milliseconds of the monotonic clock */
};

/* All zero before the first cycle. */
struct metrics {
    uint64_t cycles;
    uint64_t cycle_ms, last_cycle_ms; /* of all, of the last */
    int64_t last_success;             /* seconds since the epoch; 0: none yet */
    bool placement_asked, placement_up;
    uint64_t errors[ERROR_CODES]; /* by kind: cycles that could not look, steps */
    size_t problems;
    struct gpu_status_list gpus;
    size_t allocations[ALLOCATION_FAILED + 1]; /* by state */
    bool allocations_known;                    /* a look has seen them */
    struct metrics_waiting *waiting;
    size_t waiting_count;
};

struct metrics_clock {
    int64_t now;         /* seconds since the epoch */
    int64_t monotonic;   /* milliseconds */
    uint64_t cycle_took; /* milliseconds */
};

/* After each cycle; `failure` is why it could not look, or NULL. */
void metrics_note_cycle(struct metrics *metrics, const struct cycle *cycle,
                        const struct error *failure, size_t problems,
                        const struct metrics_clock *clock);
void metrics_clear(struct metrics *metrics);

/* Adds the allocations that nova-compute has had ten minutes to make a device for: it
 * does so when it starts a guest, or not at all. `monotonic`: now, in milliseconds. */
void metrics_overdue(const struct metrics *metrics, int64_t monotonic,
                     struct problem_list *out);

/* What is not kept here. */
struct metrics_extra {
    enum agent_mode mode;
    uint64_t requests;        /* sent to Placement and Keystone */
    int64_t token_expires_at; /* seconds since the epoch; 0: there is no token */
    bool reload_failed;       /* the files were not taken over when last read */
    int64_t monotonic;        /* now, in milliseconds */
};

/* The caller frees. */
char *metrics_text(const struct metrics *metrics, const struct metrics_extra *extra);

#endif
