/*
 * container: whether what is looked at is the host's, or only a container's. In a
 * container without the host's pids (pid_mode: host, hostPID) /proc shows a few
 * processes and no QEMU; one whose folders are its own has libvirt's, too, without a
 * domain in them. Both look like a host on which nobody holds anything.
 *
 * A unit's sandbox (ProtectSystem, PrivateTmp, ...) has a mount namespace of its own as
 * well, so that namespaces of mounts are not compared: but it has the host's root
 * directory. Stateless; `root` is a descriptor of [agent] host_root.
 */
#ifndef AGENT_HOST_CONTAINER_H
#define AGENT_HOST_CONTAINER_H

#include "lib/error.h"

/* 0: /proc below `root` shows every process of the host: its first process is in the
 * kernel's initial pid namespace. That is told by the link proc/1/ns/pid, whose number
 * is fixed (PROC_PID_INIT_INO, since Linux 3.8); reading it takes CAP_SYS_PTRACE. */
int container_check_processes(int root, struct error *err);

/* 0: the folder `path` below `root` is the host's, or was put there on purpose: `root`
 * is what the host's first process has as its root (proc/1/root), or the folder is on
 * another mount than `root` is, as a volume. A folder that is not there counts as part
 * of the nearest one above it that is. */
int container_check_folder(int root, const char *path, struct error *err);

#endif
