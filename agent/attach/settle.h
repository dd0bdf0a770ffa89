/*
 * settle: gives one guest its devices: looks, decides, acts, looks again. It is one
 * worker's job, and blocks as long as libvirt does.
 */
#ifndef AGENT_ATTACH_SETTLE_H
#define AGENT_ATTACH_SETTLE_H

#include "agent/attach/hypervisor.h"

/* What a worker is given. It owns all of it, so that nothing is shared with the thread
 * that goes on meanwhile. */
struct settle_job {
    char domain[UUID_TEXT_SIZE];
    enum occasion occasion;
    bool no_port;
    struct wanted wanted; /* no devices: only look */
    struct strlist ours;
};

struct settle_result {
    bool gone;          /* there is no such domain */
    bool unreachable;   /* the connection is gone: nothing is known of the domain */
    struct guest guest; /* as it was at the last look; all zero where `gone` or
                            `unreachable` */
    enum guest_state state;
    bool no_port;
    struct error reason; /* code NONE: nothing has failed */
};

void settle(const struct hypervisor *hypervisor, void *connection,
            const struct settle_job *job, struct settle_result *result);
void settle_job_clear(struct settle_job *job);
void settle_result_clear(struct settle_result *result);

#endif
