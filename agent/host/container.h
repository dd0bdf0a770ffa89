/*
 * container: whether /proc and the folders that the agent reads are those of the host,
 * or only those of a container. In a container without the host's pid namespace
 * (pid_mode: host, hostPID) /proc shows a few processes and no QEMU. A container with
 * its own libvirt folders shows no domain. In both cases it would seem that nobody uses
 * any device.
 *
 * The sandbox of a systemd unit (ProtectSystem, PrivateTmp, ...) also has a mount
 * namespace of its own, but the host's root directory. So mount namespaces are not
 * compared. Stateless; `root` is a descriptor of [agent] host_root.
 */
#ifndef AGENT_HOST_CONTAINER_H
#define AGENT_HOST_CONTAINER_H

#include "lib/error.h"

/* 0 when /proc below `root` shows every process of the host: its first process is in
 * the kernel's initial pid namespace. The link proc/1/ns/pid tells that; its number is
 * fixed (PROC_PID_INIT_INO, since Linux 3.8). Reading it takes CAP_SYS_PTRACE. */
int container_check_processes(int root, struct error *err);

/* 0 when the folder `path` below `root` is the host's or was mounted on purpose: `root`
 * is the root directory of the host's first process (proc/1/root), or the folder is on
 * another mount than `root`, as a volume is. A folder that does not exist counts as a
 * part of the nearest existing folder above it. */
int container_check_folder(int root, const char *path, struct error *err);

#endif
