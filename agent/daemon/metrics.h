/*
 * metrics: what the daemon has seen and done, in Prometheus' text format. The daemon
 * passes each cycle to it. The text is made from what was kept, so that a scrape reads
 * neither the host nor Placement. Times are arguments. One thread.
 *
 * While Placement cannot be read, vgpu_agent_placement_up is 0. The health of the GPUs is
 * then still what the host shows; their service and their numbers are left out, since
 * they are not known. The metrics of allocations are the last known ones.
 */
#ifndef AGENT_DAEMON_METRICS_H
#define AGENT_DAEMON_METRICS_H

#include "agent/report/gpu_status.h"
#include "agent/report/guests.h"
#include "agent/report/problems.h"

/* An allocation that waits for a device. */
struct metrics_waiting {
    char consumer[UUID_TEXT_SIZE], provider[UUID_TEXT_SIZE];
    char *resource_class;
    bool at_nova;  /* as in struct allocation_status */
    int64_t since; /* milliseconds of the monotonic clock */
};

/* How the guests of consumers stand (agent/report/guests.h). */
struct metrics_guests {
    bool known;                      /* they were looked at */
    size_t states[GUEST_FAILED + 1]; /* indexed by enum guest_state */
    size_t unknown;                  /* guests that cannot be seen */
    size_t overdue;                  /* run for too long without their devices */
    bool attaches; /* the agent attaches devices, and libvirt has told of all guests */
    uint64_t refused; /* times that libvirt refused a device */
    /* Definitions whose devices were configured before the guest started, and how long
     * that took in all, in milliseconds. */
    uint64_t configured, configured_ms;
};

/* All zero before the first cycle. */
struct metrics {
    uint64_t cycles;
    uint64_t cycle_ms, last_cycle_ms; /* of all cycles; of the last one */
    int64_t last_success;             /* seconds since the epoch; 0: none yet */
    bool placement_asked, placement_up;
    uint64_t errors[ERROR_CODES]; /* by code: of failed cycles and of failed steps */
    size_t problems;
    struct gpu_status_list gpus;
    size_t allocations[ALLOCATION_FAILED + 1]; /* indexed by enum allocation_state */
    bool allocations_known;                    /* a cycle has seen the allocations */
    struct metrics_waiting *waiting;
    size_t waiting_count;
    struct metrics_guests guests; /* set by the caller */
};

struct metrics_clock {
    int64_t now;         /* seconds since the epoch */
    int64_t monotonic;   /* milliseconds */
    uint64_t cycle_took; /* milliseconds */
};

/* To be called after each cycle. `failure` is why it could not look; NULL: it could. */
void metrics_note_cycle(struct metrics *metrics, const struct cycle *cycle,
                        const struct error *failure, size_t problems,
                        const struct metrics_clock *clock);
void metrics_clear(struct metrics *metrics);

/* Adds a problem for each allocation for which nova-compute has made no device in ten
 * minutes: it makes one when it starts the guest, or never. `monotonic` is the present
 * time, in milliseconds. */
void metrics_overdue(const struct metrics *metrics, int64_t monotonic,
                     struct problem_list *out);

/* Values that the caller has. */
struct metrics_extra {
    enum agent_mode mode;
    uint64_t requests;        /* sent to Placement and Keystone */
    int64_t token_expires_at; /* seconds since the epoch; 0: there is no token */
    /* the last reload failed, and the old configuration is used */
    bool reload_failed;
    int64_t monotonic; /* the present time, in milliseconds */
};

/* The caller frees. */
char *metrics_text(const struct metrics *metrics, const struct metrics_extra *extra);

#endif
