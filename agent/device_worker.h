/*
 * device_worker: makes and removes devices beside the agent's own work, since a store
 * into sysfs can take seconds, and a remove blocks in the kernel for as long as a guest
 * holds the device. An operation runs until the kernel answers; nobody can call it
 * back. So the worker remembers what is under way, across cycles, and never starts a
 * second operation on the same device.
 *
 * Each operation is a process (fork; open, write, close; the errno comes back through a
 * pipe), not a thread: a process cannot end while one of its threads sits in an
 * uninterruptible wait (the kernel's, once the blocked remove gets a signal). A thread
 * would keep a daemon that was told to stop, with its lock, alive until the guest ends.
 * The child gives up all descriptors of the agent but its pipe, the lock above all.
 *
 * One thread (the agent's) calls. Freeing the worker waits for nobody.
 */
#ifndef AGENT_DEVICE_WORKER_H
#define AGENT_DEVICE_WORKER_H

#include <stdbool.h>

#include "lib/cleanup.h"
#include "lib/error.h"
#include "lib/strlist.h"
#include "lib/uuid.h"

struct device_worker;

enum device_operation { DEVICE_CREATE, DEVICE_REMOVE };

struct device_worker *device_worker_new(const char *sysfs_root);
void device_worker_free(struct device_worker *worker);
DEFINE_CLEANUP(struct device_worker *, device_worker_free)

/* Starts an operation. `parent` and `type_id` as in struct host. BUSY when
 * one on that device is under way, or as many as the worker allows. */
int device_worker_start(struct device_worker *worker, enum device_operation operation,
                        const char *parent, const char *type_id, const char *uuid,
                        struct error *err);

/* What became of an operation. */
struct device_done {
    enum device_operation operation;
    char uuid[UUID_TEXT_SIZE];
    struct error error; /* code NONE: done. A remove of what is not there is done; a
                           create of what is there already is EXISTS, unless it is there
                           as asked for */
};

/* Takes the result of one that has ended, in the order of their ends; waits for at most
 * `timeout` milliseconds. False when none has ended. */
bool device_worker_take(struct device_worker *worker, unsigned timeout,
                        struct device_done *out);

/* Readable while a result waits to be taken. */
int device_worker_fd(const struct device_worker *worker);

/* Adds the uuids of the devices with an operation that has not ended. */
void device_worker_under_way(const struct device_worker *worker, struct strlist *out);

#endif
