/*
 * mount: the simulated host's tree as a file system, on libfuse's low-level interface.
 * Low-level since a file of sysfs can take several stores at once, while FUSE lets one
 * writer at a time into one inode: here each look-up of a file that can be written
 * gives an inode of its own.
 */
#ifndef TESTS_SIM_MOUNT_H
#define TESTS_SIM_MOUNT_H

#include "lib/error.h"

struct sim;

/* 0, or why this process cannot mount (and later unmount) here: no /dev/fuse, no
 * fusermount3 that works for a user who is not root. */
int mount_check(struct error *err);

/* Mounts, calls ready(context) once the first request can be answered, serves until
 * SIGTERM, SIGINT or an unmount, and unmounts. Whatever waits in the simulator is let
 * go by then. Those signals must be blocked in the calling thread, and no other thread
 * may be running. */
int mount_serve(struct sim *sim, const char *mountpoint, void (*ready)(void *context),
                void *context, struct error *err);

#endif
