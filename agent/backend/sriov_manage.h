/*
 * sriov_manage: enables the virtual functions of cards by NVIDIA's program sriov-manage,
 * since the driver refuses writes to sriov_numvfs. Its exit status is not believed: it
 * says nothing when the driver does it later, and fails when there is nothing to do. The
 * functions are counted instead. "Cannot obtain unbindLock" means that a process has the
 * driver's management interface (NVML) open: then it is run again.
 */
#ifndef AGENT_BACKEND_SRIOV_MANAGE_H
#define AGENT_BACKEND_SRIOV_MANAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/backend/backend.h"

/* Whether the card could have virtual functions by that program, and has none. */
bool sriov_manage_is_for(const struct gpu *gpu);

/* Runs `program` -e CARD without a shell, again and again where that may help, until
 * `deadline` (clock_monotonic_ms()) at most. 0 when the card has virtual functions.
 * TIMEOUT when the program did not end, or did not get the lock: then the text names
 * who has /dev/nvidia* open. Blocks: for a child process. */
int sriov_manage_enable(const char *program, const struct device_place *place,
                        const char *card, int64_t deadline, struct error *err);

#endif
