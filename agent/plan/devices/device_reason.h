/*
 * device_reason: texts that explain to people why a plan has a step on a device. All
 * functions return one line of text that the caller frees. Pure.
 */
#ifndef AGENT_PLAN_DEVICES_DEVICE_REASON_H
#define AGENT_PLAN_DEVICES_DEVICE_REASON_H

#include "agent/plan/world/world.h"

/* Why a device that meets the want is to be noted as `entry` says. */
char *reason_of_taking(const struct present *present, const struct want *want,
                       const struct journal_device *entry);
/* Why a device is to be cleared and handed over to its next consumer. */
char *reason_of_handing_over(const struct present *present);
/* Why a device is to be made; `want` is NULL where it meets no allocation. */
char *reason_of_creation(const struct group *group, const struct want *want,
                         const struct journal_device *device);
/* Why a device is to be removed; `now` is that of the plan's input. */
char *reason_of_removal(const struct journal_device *entry, int64_t now);

#endif
