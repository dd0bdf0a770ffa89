/*
 * settle: gives one guest its devices: looks, decides, acts, looks again, until nothing
 * is left to do or nothing helps. It is one worker's job, and blocks as long as libvirt
 * does.
 *
 * What a call has done is believed only from the next look: BOTH fails with "there"
 * where one half was there, and does neither. A guest that starts while its
 * configuration waits for it is not given the device live by the same job: whether that
 * may be done depends on how it was started, which only its event tells. The event makes
 * the next job.
 */
#ifndef AGENT_ATTACH_SETTLE_H
#define AGENT_ATTACH_SETTLE_H

#include "agent/attach/hypervisor.h"

/* How often a job acts: when a guest's state changes between a look and a call, it
 * decides anew. */
#define SETTLE_ROUNDS 4

/* What a worker is given. It owns all of it, so that nothing is shared with the thread
 * that goes on meanwhile. */
struct settle_job {
    char domain[UUID_TEXT_SIZE];
    enum occasion occasion;
    bool no_port;
    struct wanted wanted; /* `consumer` "": there is no entry, only look */
    struct strlist ours;
};

struct settle_result {
    bool gone;        /* there is no such domain */
    bool unreachable; /* the connection is gone: nothing is known of the domain */
    /* As it was at the last look; all zero where it is `gone` or could not be looked at
     * since the last call that changed something. */
    struct guest guest;
    enum guest_state state;
    bool no_port;
    struct error reason; /* code NONE: nothing has failed */
    bool busy;           /* `reason` is only that another call on the guest lasts */
    /* The device of a call whose reply never came (`unreachable`): libvirt may attach it
     * at any later time. */
    struct strlist uncertain;
};

void settle(const struct hypervisor *hypervisor, void *connection,
            const struct settle_job *job, struct settle_result *result);
void settle_job_clear(struct settle_job *job);
#define _cleanup_settle_job_ _cleanup_(settle_job_clear)
void settle_result_clear(struct settle_result *result);
#define _cleanup_settle_result_ _cleanup_(settle_result_clear)

#endif
