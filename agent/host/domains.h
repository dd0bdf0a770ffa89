/*
 * domains: libvirt's domains, with the devices that each has now and will have at its
 * next start: as libvirt's files have them (running: /run/libvirt/qemu/\*.xml, defined:
 * /etc/libvirt/qemu/\*.xml), or as libvirt itself has said (agent/daemon/attacher.h).
 * Plain data; domains_read() alone does I/O.
 *
 * When a folder of libvirt's does not exist, nothing follows from that: libvirt may
 * keep it elsewhere, or it is not mounted where the agent looks. The agent cannot see
 * that there is no libvirt on the host; the configuration must say so ([agent] libvirt
 * = false).
 */
#ifndef AGENT_HOST_DOMAINS_H
#define AGENT_HOST_DOMAINS_H

#include <stdbool.h>
#include <stddef.h>

#include "agent/host/domain_files.h"
#include "lib/cleanup.h"
#include "lib/error.h"
#include "lib/strlist.h"
#include "lib/uuid.h"

struct domain {
    char uuid[UUID_TEXT_SIZE]; /* "": its XML has none */
    char *name; /* libvirt's, without control characters; NULL: not read */
    bool running;
    /* Addresses of the devices that it names, as in struct device: those of the running
     * guest, and those of its configuration. */
    struct strlist live, configured;
};

/* All zero: nothing is known. */
struct domains {
    bool complete; /* all domains of the host are in it, and all of each is known */
    struct domain *items;
    size_t count;
};

/* Where to look. */
struct use_places {
    const char *root; /* "/", or a directory that stands for it in tests */
    /* Libvirt's folders of definitions and of running domains, absolute or below root.
     * NULL: there is no libvirt on this host. */
    const char *defined, *running;
    bool before_libvirt; /* at boot, `running` may not exist yet */
    /* The domains as libvirt itself has said, beside its files; NULL: it was not
     * asked. */
    const struct domains *view;
    /* What the files have said so far, which is kept up to date; NULL: nothing is known. */
    struct domain_files *files;
};

/* Why not all domains are known; codes NONE: they are. */
struct domains_unseen {
    struct error running, defined;
    bool damaged; /* one of the reasons is a file that libvirt would not write */
};

/* Reads both folders of `places` below the directory `root`. What can be read is in
 * *out in any case, running domains first; the caller ends it with domains_clear(). */
void domains_read(int root, const struct use_places *places, struct domains *out,
                  struct domains_unseen *unseen);

/* Whether the running guest or its configuration has the device. */
bool domain_names(const struct domain *domain, const char *address);

/* NULL: there is none of that uuid. */
struct domain *domains_find(const struct domains *domains, const char *uuid);
/* The domain of that uuid, added when it is new. A domain without a uuid is always a
 * new one. The pointer is valid until the next addition. */
struct domain *domains_add(struct domains *domains, const char *uuid);
void domains_remove(struct domains *domains, const char *uuid);
void domains_clear(struct domains *domains);
#define _cleanup_domains_ _cleanup_(domains_clear)

#endif
