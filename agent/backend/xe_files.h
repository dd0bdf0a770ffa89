/*
 * xe_files: what Intel's driver xe has below a card for its virtual functions:
 * `sriov_admin/vf<N>/` for each that the card can have, from 1 on, whether it is enabled
 * or not. Keeps nothing; any thread may call.
 *
 *     profile/vram_quota           bytes; the driver rounds up to its pages of 2 MB
 *     profile/exec_quantum_ms      0: no limit
 *     profile/preempt_timeout_us   0: no limit
 *     profile/sched_priority       "[low] normal": read only for a single function
 *
 * Quotas can be written before the functions are enabled or after. Where none is written
 * when they are enabled, the driver gives each the same share of the whole memory. All
 * are gone when the functions are disabled.
 *
 * Documentation/ABI/testing/sysfs-driver-intel-xe-sriov of Linux 6.19; vram_quota since
 * 7.0, on cards with memory of their own. The card's memory: cgroup v2's dmem.capacity
 * (Documentation/admin-guide/cgroup-v2.rst; Linux 6.14).
 */
#ifndef AGENT_BACKEND_XE_FILES_H
#define AGENT_BACKEND_XE_FILES_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/backend/backend.h"
#include "lib/error.h"
#include "lib/pci_address.h"

#define XE_ADMIN "sriov_admin"
#define XE_QUOTA "profile/vram_quota"
#define XE_QUANTUM "profile/exec_quantum_ms"
#define XE_TIMEOUT "profile/preempt_timeout_us"

/* What a function gets of its card. */
struct xe_profile {
    uint64_t vram_mib; /* 0: the function is nobody's */
    unsigned long quantum_ms, timeout_us;
    char priority[8]; /* "low", "normal"; "": any */
};

/* "xe-8192M-20ms-0us", and "-low" where a priority is asked for: the name of the type
 * of such functions, by which the state file keeps it. The caller frees. */
char *xe_profile_name(const struct xe_profile *profile);
/* False when the text is no such name; it may be NULL. */
bool xe_profile_parse(const char *name, struct xe_profile *out);
/* Whether a function that was given `wanted` shows `found`. The priority is not
 * compared, which is the card's. */
bool xe_profile_matches(const struct xe_profile *wanted,
                        const struct xe_profile *found);

/* The address of function `number` (from 1) of the card: where it is now, or where it
 * will be. `card` is a descriptor of the card's folder. False when it cannot be
 * known. */
bool xe_function_name(int card, const char *card_name, unsigned number,
                      char out[PCI_ADDRESS_SIZE]);
/* Opens sriov_admin/vf<number>. -1 with errno. */
int xe_open_admin(int card, unsigned number);

/* In the functions below `admin` is such a descriptor. When the card has gone,
 * errno_is_gone(err->errnum) is true. */

/* The times are read only where there is a quota. */
int xe_read_profile(int admin, struct xe_profile *out, struct error *err);
/* Gives the function the profile, its memory last, so that whoever has a quota has all.
 * `name` is the function's address, for messages. FORBIDDEN also when the card's
 * functions have another priority. EXHAUSTED, BUSY. After an error the function has no
 * quota. When the agent of `place` has ended, nothing is written any more, nor taken
 * back. */
int xe_write_profile(const struct device_place *place, int admin, const char *name,
                     const struct xe_profile *profile, struct error *err);
/* Takes the memory first, then the rest. When it cannot be taken, nothing has
 * changed. */
int xe_clear_profile(const struct device_place *place, int admin, const char *name,
                     struct error *err);

/* The memory of the card in MiB; 0: it cannot be seen. `cards` is a descriptor of
 * sysfs' bus/pci/devices. */
uint64_t xe_card_memory(int cards, const char *card_name);

#endif
