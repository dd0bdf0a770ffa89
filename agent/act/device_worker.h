/*
 * device_worker: makes, removes, clears and sets up devices in child processes
 * (lib/subprocess.h), since a write to sysfs can take seconds, and a remove blocks in
 * the kernel as long as a guest holds the device. An operation runs until the kernel
 * answers and cannot be cancelled. So the worker remembers across cycles which
 * operations are under way. It never starts a second operation on the same device, or
 * any operation on a card that has a create under way. It keeps no child when idle.
 *
 * Only one thread (the agent's) may call it. Freeing the worker does not wait for
 * children that are blocked in the kernel.
 */
#ifndef AGENT_ACT_DEVICE_WORKER_H
#define AGENT_ACT_DEVICE_WORKER_H

#include <stdbool.h>

#include "agent/backend/backend.h"
#include "agent/host/host.h"
#include "lib/cleanup.h"
#include "lib/error.h"
#include "lib/uuid.h"

struct device_worker;

enum device_operation {
    DEVICE_CREATE,
    DEVICE_REMOVE,
    DEVICE_CLEAR,
    DEVICE_SET_PARAMETERS,
};

/* The worker copies `place`. The caller frees with device_worker_free(). */
struct device_worker *device_worker_new(const struct device_place *place);
void device_worker_free(struct device_worker *worker);
DEFINE_CLEANUP(struct device_worker *, device_worker_free)

/* The domains as libvirt itself has said, from now on (struct use_places). Borrowed;
 * a child sees them as they are when it is started. */
void device_worker_set_view(struct device_worker *worker, const struct domains *view);

/* Starts a child that carries out the operation with the functions of `backend`.
 * Returns 0, or -1 with BUSY when an operation on that device or a create on that card
 * is under way, or when the worker has as many operations as it allows. */
int device_worker_start(struct device_worker *worker, enum device_operation operation,
                        const struct backend *backend, const struct device_spec *device,
                        struct error *err);

/* The result of an operation. Its errors are those of struct backend. */
struct device_done {
    enum device_operation operation;
    char uuid[UUID_TEXT_SIZE];
    char address[DEVICE_ADDRESS_SIZE]; /* CREATE that succeeded: where the device is */
    struct error error;                /* code NONE: success */
    bool existed; /* CREATE: the device existed already, and may be somebody else's */
};

/* Takes the result of one operation that has ended, in no particular order. Waits for
 * at most `timeout` milliseconds. False when none has ended. */
bool device_worker_take(struct device_worker *worker, unsigned timeout,
                        struct device_done *out);

/* A descriptor that is readable while a result waits to be taken. The worker owns
 * it. */
int device_worker_fd(const struct device_worker *worker);

/* Calls host_mark_in_transition() for each device with an operation under way. */
void device_worker_mark(const struct device_worker *worker, struct host *host);

#endif
