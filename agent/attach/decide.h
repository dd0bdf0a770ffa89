/*
 * decide: what is to be done so that a guest has its devices: from the guest as it is,
 * the devices that it is to have, and the occasion. Pure: no I/O, no clock.
 *
 * The rules follow from what libvirt and Nova do. Nova defines a domain, and creates it
 * some milliseconds later; what is in its configuration by then is there when the guest
 * starts (a cold plug). Afterwards a device can be plugged in while a port is free. Nova
 * detaches devices when it suspends a guest and attaches them again itself when it
 * resumes it. A device that is in the configuration of a running guest and not live may
 * be on its way out: nothing is done about it before the next start.
 */
#ifndef AGENT_ATTACH_DECIDE_H
#define AGENT_ATTACH_DECIDE_H

#include "agent/attach/guest.h"
#include "agent/attach/wanted.h"

enum occasion {
    OCCASION_LOOK,     /* the connection is new, or the table has changed */
    OCCASION_DEFINED,  /* VIR_DOMAIN_EVENT_DEFINED */
    OCCASION_STARTED,  /* VIR_DOMAIN_EVENT_STARTED, booted */
    OCCASION_RESTORED, /* STARTED, restored or from a snapshot, after the grace in
                          which Nova attaches the devices itself */
    OCCASION_CHANGED,  /* stopped, undefined, a device added or removed: only look */
};

enum attach_verb {
    ATTACH_CONFIGURED, /* into the configuration */
    ATTACH_LIVE,       /* into the running guest */
    ATTACH_BOTH,       /* libvirt does both or neither */
    DETACH_CONFIGURED, /* out of the configuration */
};

struct attach_action {
    enum attach_verb verb;
    const char *address; /* borrowed from the guest or from the wanted devices */
    const char *xml;     /* borrowed; for DETACH_CONFIGURED as well */
};

/* How a consumer's guest stands. The order is that of severity. */
enum guest_state {
    GUEST_ABSENT,         /* no domain has its uuid yet */
    GUEST_CONFIGURED,     /* it does not run; its configuration has all its devices */
    GUEST_ATTACHED,       /* it runs with all its devices */
    GUEST_MISSES,         /* shut off or running, and actions are to come */
    GUEST_AT_NEXT_START,  /* it runs without, and its configuration has them */
    GUEST_WAITS_FOR_PORT, /* the same, since no port of the guest is free */
    GUEST_FAILED,         /* libvirt refused (with its words) */
};

/* The actions, in order, with removals first. The caller frees *out with free().
 * `wanted` NULL: nothing. `no_port`: a live attach has already failed for want of a
 * port since the guest started. */
void attach_decide(const struct guest *guest, const struct wanted *wanted,
                   const struct strlist *ours, enum occasion occasion, bool no_port,
                   struct attach_action **out, size_t *count);

/* How the guest stands now, where nothing has failed. */
enum guest_state attach_state(const struct guest *guest, const struct wanted *wanted);

#endif
