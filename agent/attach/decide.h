/*
 * decide: what is to be done so that a guest has its devices: from the guest as it is,
 * the devices that it is to have, and the occasion. Pure: no I/O, no clock.
 *
 * The rules follow from what libvirt and Nova do. Nova defines a domain, and creates it
 * some milliseconds later; what is in its configuration by then is there when the guest
 * starts (a cold plug). Afterwards a device can be plugged in while a port is free. Nova
 * detaches devices when it suspends a guest and attaches them again itself when it
 * resumes it.
 *
 *   shut off                 what is missing goes into the configuration, and devices of
 *                            ours that the guest is not to have go out of it first
 *                            (after a resize or under a new name of the consumer), if
 *                            the consumer's entry is whole
 *   runs, in neither         into both, which libvirt does as one; without a free port
 *                            into the configuration, and never live before the next
 *                            start
 *   runs, configured only    at STARTED and RESTORED live: the configuration's attach
 *                            has lost the race against the start, and was carried out
 *                            after it. Else nothing: Nova's suspend may be under way
 *   runs with a device of    at LOOK into the configuration only: Nova is about to stop
 *   ours that is another's   it for a resize
 *   runs, live only          into the configuration
 *   runs, a device of ours   out of the configuration, if the consumer's entry is whole:
 *   that is another's in     a call for an earlier guest of that name has come to its
 *   the configuration only   end late
 *   runs, transient          live only
 *
 * At DEFINED nothing is done live: if the guest runs already, its STARTED follows, and
 * that tells whether Nova attaches its devices itself. At CHANGED nothing is done.
 * An entry that only heals counts for a guest that runs and has no other device of that
 * sort (mediated or PCI), live or configured: else nova-compute has given it one.
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
    OCCASION_CHANGED,  /* a device added or removed: only look */
    OCCASION_STOPPED,  /* stopped or undefined: the same, and what the table has for it
                          may be old when it is defined or started again */
};

/* Whether anything may be done at it. */
bool occasion_acts(enum occasion occasion);

enum attach_verb {
    ATTACH_CONFIGURED, /* into the configuration */
    ATTACH_LIVE,       /* into the running guest */
    ATTACH_BOTH,       /* libvirt does both or neither */
    DETACH_CONFIGURED, /* out of the configuration */
};

struct attach_action {
    enum attach_verb verb;
    char address[DEVICE_ADDRESS_SIZE];
    char *xml; /* a <hostdev> element, also for DETACH_CONFIGURED */
};
void attach_actions_free(struct attach_action *actions, size_t count);

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
#define GUEST_STATES (GUEST_FAILED + 1)

/* The actions, in order, with removals first. The caller ends *out with
 * attach_actions_free(). `wanted` NULL: nothing. `no_port`: a live attach has already
 * failed for want of a port since the guest started. */
void attach_decide(const struct guest *guest, const struct wanted *wanted,
                   const struct strlist *ours, enum occasion occasion, bool no_port,
                   struct attach_action **out, size_t *count);

/* How the guest stands now, where nothing has failed: ATTACHED or CONFIGURED where no
 * devices are wanted, WAITS_FOR_PORT where `no_port` is all that is in the way. */
enum guest_state attach_state(const struct guest *guest, const struct wanted *wanted,
                              bool no_port);

#endif
