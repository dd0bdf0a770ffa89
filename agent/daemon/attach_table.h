/*
 * attach_table: the devices that guests are to have (agent/attach/wanted.h), from what
 * a cycle has seen and done: of each consumer those devices of its allocations that
 * exist, that the state file has as its own, and that nobody else uses. A consumer whose
 * allocations are gone, as Placement was seen to say, has an empty entry as long as its
 * domain is configured with a device of its own. Pure.
 */
#ifndef AGENT_DAEMON_ATTACH_TABLE_H
#define AGENT_DAEMON_ATTACH_TABLE_H

#include "agent/attach/wanted.h"
#include "agent/cycle.h"

/* Makes the table after a cycle that has read Placement. `view`: the domains as libvirt
 * has said. `withheld` has the addresses of devices that somebody else was seen to use:
 * a cycle that looks who uses the devices makes the list anew, another one leaves out
 * what is in it. The caller ends *out with wanted_table_clear(); its serial is 0. */
void attach_table_make(const struct cycle *cycle, const struct domains *view,
                       struct strlist *withheld, struct wanted_table *out);

/* Drops these devices from the table. True when it had one. */
bool attach_table_drop(struct wanted_table *table, const struct strlist *addresses);

#endif
