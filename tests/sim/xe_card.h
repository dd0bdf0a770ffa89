/*
 * xe_card: what Intel's driver xe has below a card that divides itself by SR-IOV, as
 * Linux 7.0 documents it (Documentation/ABI/testing/sysfs-driver-intel-xe-sriov):
 *
 *     sriov_admin/vf<N>/        for each function that the card can have, from 1 on
 *         device                the function; only while it is enabled
 *         profile/vram_quota            bytes, taken in pages of 2 MB
 *         profile/exec_quantum_ms       0: no limit
 *         profile/preempt_timeout_us    0: no limit
 *         profile/sched_priority        "[low] normal", read only
 *     sriov_admin/.bulk_profile/sched_priority
 *
 * A quota can be changed before the functions are enabled and after, but not while a
 * process has the function open (EIO: the firmware complains). Not more can be given
 * than the card has (ENOSPC). Where none has a quota when they are enabled, all get the
 * same; all are gone when they are disabled. The card's memory is in
 * fs/cgroup/dmem.capacity. With the simulator's lock held.
 */
#ifndef TESTS_SIM_XE_CARD_H
#define TESTS_SIM_XE_CARD_H

#include <stdbool.h>
#include <stdint.h>

#include "tests/sim/mdev.h"
#include "tests/sim/node.h"

struct xe_function {
    struct xe_card *card;
    const char *name; /* its PCI address; borrowed */
    uint64_t quota;   /* bytes */
    unsigned long quantum, timeout;
    unsigned held; /* open VFIO descriptors */
    bool changing; /* a store is under way */
    struct node *folder;
};

struct xe_card {
    struct card *card;
    struct xe_function *functions;
    unsigned count;
    bool normal; /* the priority of all */
    struct node *folder;
};

/* `names`: of the functions that it can have; borrowed. */
struct xe_card *xe_card_new(struct card *card, const char *const *names,
                            unsigned count);
void xe_card_free(struct xe_card *xe);
/* The driver binds to the card, whose directory is `node`; or lets go of it. */
void xe_card_register(struct xe_card *xe, struct node *node);
void xe_card_unregister(struct xe_card *xe);
/* The first `count` functions are about to be enabled, or were just disabled (0). */
void xe_card_provision(struct xe_card *xe, unsigned count);
/* A function's directory has come. */
void xe_card_enabled(struct xe_card *xe, unsigned index, struct node *node);
/* NULL: it is none of the card's. */
struct xe_function *xe_card_function(struct xe_card *xe, const char *name);
/* Waits for holders of the function. */
void xe_card_disable(struct xe_card *xe, unsigned index);

#endif
