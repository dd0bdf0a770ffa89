/*
 * view: how the views of `vgpu-agent` show the same words: which are good news and which
 * are not. Stateless.
 */
#ifndef AGENT_COMMAND_VIEW_H
#define AGENT_COMMAND_VIEW_H

#include "agent/report/gpu_status.h"
#include "lib/table.h"

/* How an allocation stands. */
enum tone view_allocation_tone(enum allocation_state state);

/* Adds the cells SERVICE and HEALTH of a GPU. */
void view_add_state(struct table *table, const struct gpu_status *gpu);
/* Adds the cells TOTAL, USED (with a bar) and RESERVED; `known` false: "-". */
void view_add_numbers(struct table *table, const struct style *style,
                      const struct gpu_status *gpu, bool known);

#endif
