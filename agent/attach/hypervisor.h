/*
 * hypervisor: the calls into libvirt that the attaching of devices needs, as a struct
 * of functions: libvirt's own (agent/libvirt/), or a script in a test. Each may block as
 * long as libvirt likes, and is called from the worker that has the connection.
 */
#ifndef AGENT_ATTACH_HYPERVISOR_H
#define AGENT_ATTACH_HYPERVISOR_H

#include "agent/attach/decide.h"

/* Why a call has failed, as far as something follows from it. */
enum hypervisor_failure {
    HYPERVISOR_REFUSED,   /* anything else; the error has libvirt's words */
    HYPERVISOR_NO_DOMAIN, /* there is no such domain (any more) */
    HYPERVISOR_NO_PORT,   /* the guest has no free port for a device */
    HYPERVISOR_THERE,     /* this domain has the device already */
    HYPERVISOR_ELSEWHERE, /* another domain has it */
    HYPERVISOR_BUSY,      /* another call on the guest lasts, its start for instance */
    HYPERVISOR_NOT_RUNNING, /* live, but the guest does not run (any more) */
    HYPERVISOR_UNREACHABLE, /* the connection is gone; what was asked may still happen */
};

struct hypervisor {
    /* The domain's two documents in *out. */
    int (*look)(void *connection, const char *domain, struct guest *out,
                enum hypervisor_failure *failure, struct error *err);
    int (*act)(void *connection, const char *domain, const struct attach_action *action,
               enum hypervisor_failure *failure, struct error *err);
    /* The uuids of all domains, running or defined. */
    int (*list)(void *connection, struct strlist *domains,
                enum hypervisor_failure *failure, struct error *err);
};

#endif
