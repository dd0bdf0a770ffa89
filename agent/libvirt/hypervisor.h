/*
 * hypervisor: struct hypervisor on libvirt. The connection that its functions are given
 * is a struct libvirt_link, which opens itself when it is needed and closes itself when
 * it is broken: each call either finds libvirt or says HYPERVISOR_UNREACHABLE. Keepalive
 * needs libvirt's event loop to run in some thread; it then ends calls to a daemon that
 * is alive and does not answer. Opening has no such limit: it blocks as long as the
 * daemon accepts connections and says nothing. A link is one thread's.
 */
#ifndef AGENT_LIBVIRT_HYPERVISOR_H
#define AGENT_LIBVIRT_HYPERVISOR_H

#include <libvirt/libvirt.h>

#include "agent/attach/hypervisor.h"

/* Between two signs of life, in seconds, and how many may fail to come. */
#define KEEPALIVE_INTERVAL 5
#define KEEPALIVE_COUNT 3

struct libvirt_link {
    const char *uri; /* borrowed; "qemu:///system" */
    virConnectPtr connection;
    /* The domain of the last look, as acts on it follow. */
    virDomainPtr domain;
};

extern const struct hypervisor libvirt_hypervisor;

/* Opens a connection with keepalive. NULL and UNREACHABLE with libvirt's
 * words. */
virConnectPtr libvirt_open(const char *uri, struct error *err);
/* Opens the link's connection unless it has one that works, so that the first call on it
 * does not have to. */
int libvirt_link_open(struct libvirt_link *link, struct error *err);
/* The uuids of all domains, as in struct hypervisor. */
int libvirt_list(virConnectPtr connection, struct strlist *domains,
                 enum hypervisor_failure *failure, struct error *err);
/* False for a uuid that is none, which libvirt never gives. */
bool libvirt_domain_uuid(virDomainPtr domain, char out[UUID_TEXT_SIZE]);

#endif
