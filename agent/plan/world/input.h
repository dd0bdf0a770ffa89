/*
 * input: what plan_make() is given: all that was seen of the host, Placement and the
 * state file, what is configured, and what operators have asked for. All is borrowed.
 */
#ifndef AGENT_PLAN_WORLD_INPUT_H
#define AGENT_PLAN_WORLD_INPUT_H

#include <stdint.h>

#include "agent/desired/desired.h"
#include "agent/host/device_use.h"
#include "agent/host/host.h"
#include "agent/state/journal.h"
#include "agent/state/orders.h"
#include "agent/tree/observed.h"
#include "config/config.h"
#include "lib/strlist.h"

/* A device that could not be cleared for its next consumer. No other consumer gets it.
 * Borrowed. */
struct refused_device {
    const char *address; /* as in struct device, whose uuid may be "" */
    const char *reason;
};

struct plan_input {
    const struct config *config;
    const struct host *host; /* host_mark_in_transition() was called for each device
                                whose create or remove has not returned */
    /* Both NULL: Placement could not be read, or was not asked. Then the plan only
     * makes devices again that the journal has, that the host lost (a reboot) and that
     * are still wanted. */
    const struct desired_tree *desired;
    const struct observed *observed;
    const struct journal *journal;
    const struct device_use *use;     /* NULL: not scanned, see needs_use */
    const struct device_use *named;   /* who names devices, without processes, for
                                         places (agent/plan/world/place.h) where
                                         `use` is NULL; NULL: not read */
    const struct strlist *drained;    /* GPUs that get no new consumers; NULL:
                                         none */
    const struct strlist *unreserved; /* GPUs of which what somebody else has reserved
                                         is given back; NULL: none */
    const struct strlist *servers;    /* consumers whose devices were asked for,
                                         which shows that they are no migrations;
                                         NULL: none */
    const struct refused_device *refused; /* the devices that could not be cleared in
                                             this cycle */
    size_t refused_count;
    const struct order_list *orders; /* for single devices; NULL: none */
    const struct strlist *prune; /* uuids of providers to delete if they are free and no
                                    longer configured; NULL: none */
    int64_t keep_until; /* no device is removed before this time, since Placement may
                           not know all allocations yet; in seconds as `now`; 0: no such
                           limit */
    int64_t now;        /* seconds since the epoch, by a clock that never goes back:
                           agent/state/boot_clock.h */
};

#endif
