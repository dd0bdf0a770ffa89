/*
 * program: what vgpu-agent-libvirt does: takes the table of wanted devices from the
 * daemon's socket and events from libvirt, lets the watcher decide which guest is to be
 * settled, the workers do it, and tells the daemon what has become of it. It runs
 * libvirt's event loop in the calling thread, where nothing blocks: calls into libvirt
 * are made by the threads of connection.h and workers.h.
 */
#ifndef AGENT_LIBVIRT_PROGRAM_H
#define AGENT_LIBVIRT_PROGRAM_H

#include <stdbool.h>

#include "lib/error.h"

/* Runs until the daemon's end of `socket` is closed: 0. -1: the daemon sends what makes
 * no sense, or the program cannot go on. *hangs: calls into libvirt are under way, which
 * the end of the process must not wait for. */
int program_run(const char *uri, int socket, bool *hangs, struct error *err);

#endif
