/*
 * vfio_holders: which processes have VFIO groups or devices open, from
 * /proc/<pid>/fd and /proc/<pid>/task/<tid>/fd. The kernel has no other way to ask
 * without opening the group, which would get into the way of a guest that starts. Costs
 * one readlink for each descriptor on the host, and a kcmp(2) for each thread: to be
 * asked only when something is to be removed, and for all at once. Keeps nothing.
 */
#ifndef AGENT_HOST_VFIO_HOLDERS_H
#define AGENT_HOST_VFIO_HOLDERS_H

#include <sys/types.h>

#include "lib/error.h"
#include "lib/strlist.h"

/* `nodes` are "/dev/vfio/12" (a group) or "/dev/vfio/devices/vfio3" (a device). Sets
 * holders[i] to a process that has nodes->items[i] open, or to 0. `root` is a
 * descriptor of the folder that has proc. A process that has a VFIO device open without
 * any node counts as a holder of all. -1 when not every process of the host can be
 * looked at (see container.h): who was found by then holds it, and of the others nothing
 * can be said. */
int vfio_find_holders(int root, const struct strlist *nodes, pid_t *holders,
                      struct error *err);

#endif
