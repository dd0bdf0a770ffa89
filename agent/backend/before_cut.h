/*
 * before_cut: cuts a card into the partitions (MIG's GPU instances) that its type is for,
 * by a program of the operator's ([agent] before_cut): which shapes a card is to have is
 * the operator's to say, and needs the maker's tools. Its exit status is not believed:
 * the instances are counted.
 */
#ifndef AGENT_BACKEND_BEFORE_CUT_H
#define AGENT_BACKEND_BEFORE_CUT_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/backend/backend.h"

/* Whether the program is to cut the card: it is well, has neither partitions nor devices,
 * as far as both can be seen, and `type`, which is configured for it, is for partitions
 * by its name. */
bool before_cut_is_for(const struct gpu *gpu, const char *type);

/* Runs `program` CARD TYPE without a shell until `deadline` (clock_monotonic_ms()) at
 * most. 0 when the card has partitions. TIMEOUT when the program did not end. Blocks:
 * for a child process. */
int before_cut_run(const char *program, const struct device_place *place,
                   const char *card, const char *type, int64_t deadline,
                   struct error *err);

#endif
