/*
 * vfio_holders: which processes have VFIO groups or devices open, from /proc/<pid>/fd
 * and /proc/<pid>/task/<tid>/fd. The kernel gives no other way to ask, except to open
 * the group, which could make the start of a guest fail. It costs one readlink for each
 * descriptor on the host and a kcmp(2) for each thread. So it is called only when
 * devices are to be removed, and once for all of them. Keeps nothing.
 */
#ifndef AGENT_HOST_VFIO_HOLDERS_H
#define AGENT_HOST_VFIO_HOLDERS_H

#include <sys/types.h>

#include "lib/error.h"
#include "lib/strlist.h"

/* `nodes` are "/dev/vfio/12" (a group) or "/dev/vfio/devices/vfio3" (a device). Sets
 * holders[i] to the pid of a process that has nodes->items[i] open, or to 0. `root` is
 * a descriptor of the folder that contains proc. A process that has a VFIO device open
 * without any node counts as a holder of all nodes. -1 when not every process of the
 * host can be examined (see container.h): holders that were found by then are valid,
 * but a 0 says nothing. */
int vfio_find_holders(int root, const struct strlist *nodes, pid_t *holders,
                      struct error *err);

#endif
