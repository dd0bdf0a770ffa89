/*
 * fake_libvirt: domains as libvirt keeps them, behind struct hypervisor, for tests. What
 * each call answers is what libvirt 9.0 was seen to answer. One call can be made to
 * fail, and the world can change right before a call.
 */
#ifndef TESTS_UNIT_AGENT_ATTACH_FAKE_LIBVIRT_H
#define TESTS_UNIT_AGENT_ATTACH_FAKE_LIBVIRT_H

#include "agent/attach/hypervisor.h"
#include "lib/buffer.h"

struct fake_domain {
    bool exists;
    struct guest guest;
    int ports; /* how many devices can still be plugged in */
};

struct fake_libvirt {
    struct fake_domain *domains;
    size_t count;
    int calls; /* so far */
    /* The call of that number fails, from 0 on; -1: none. */
    int fail_at;
    enum hypervisor_failure failure;
    bool after_effect; /* it fails after it was carried out */
    bool has_failed;   /* it was made, and would not have failed by itself */
    /* Called before the call of that number; -1: none. */
    int change_at;
    void (*change)(struct fake_domain *domain);
    struct buffer log; /* "look", "a", "a!", "a*", "-a", each with a blank */
};

extern const struct hypervisor fake_hypervisor; /* its connection: the struct above */

/* Takes the guest. The pointer is valid until the next addition. */
struct fake_domain *fake_add(struct fake_libvirt *fake, struct guest guest, int ports);
struct fake_domain *fake_find(struct fake_libvirt *fake, const char *uuid);
void fake_clear(struct fake_libvirt *fake);

/* What others do to a domain. */
void fake_start(struct fake_domain *domain);
void fake_stop(struct fake_domain *domain);
void fake_undefine(struct fake_domain *domain);
void fake_use_ports(struct fake_domain *domain);

#endif
