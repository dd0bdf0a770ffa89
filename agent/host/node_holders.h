/*
 * node_holders: which processes have device nodes open (VFIO groups and devices, a
 * card's /dev/dri), from /proc/<pid>/fd and /proc/<pid>/task/<tid>/fd. The kernel gives
 * no other way to ask, except to open a VFIO group, which could make the start of a
 * guest fail. It costs one readlink for each descriptor on the host and a kcmp(2) for
 * each thread. So it is called only when devices are to be made or removed, while whole
 * cards are offered or to be given away, or now and then, and once for all nodes. Keeps
 * nothing.
 */
#ifndef AGENT_HOST_NODE_HOLDERS_H
#define AGENT_HOST_NODE_HOLDERS_H

#include <sys/types.h>

#include "lib/error.h"
#include "lib/strlist.h"

/* `nodes` are "/dev/vfio/12" (a group), "/dev/vfio/devices/vfio3" (a device),
 * "/dev/dri/card0"; "/dev/nvidia*" is every node that begins so. Sets holders[i] to the
 * pid of a process that has nodes->items[i] open, or to 0. `root` is a descriptor of
 * the folder that contains proc. A process that has a VFIO device open without any node
 * counts as a holder of all nodes of VFIO. -1 when not every process of the host can be
 * examined (see container.h): holders that were found by then are valid, but a 0 says
 * nothing. */
int node_find_holders(int root, const struct strlist *nodes, pid_t *holders,
                      struct error *err);

/* What node_find_holders() has found of one node, as text: the process that has it open,
 * or that this cannot be seen, with the reason `unseen` (NONE: all was seen). NULL: no
 * process has it open. The caller frees. */
char *node_why_open(int root, const char *node, pid_t holder,
                    const struct error *unseen);

/* 0 when no process has any of the nodes open. BUSY with the process's name and the node
 * when one has, or when that cannot be seen. */
int node_check_closed(int root, const struct strlist *nodes, struct error *err);

#endif
