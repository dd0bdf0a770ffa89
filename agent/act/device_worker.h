/*
 * device_worker: makes, removes and clears devices in child processes
 * (lib/subprocess.h), since a store into sysfs can take seconds, and a remove blocks in
 * the kernel for as long as a guest holds the device. An operation runs until the kernel
 * answers; nobody can call it back. So the worker remembers what is under way, across
 * cycles, and never starts a second operation on the same device, or any on a card that
 * has a create under way. No child is kept when idle.
 *
 * One thread (the agent's) calls. Freeing the worker does not wait for children that
 * the kernel holds.
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

enum device_operation { DEVICE_CREATE, DEVICE_REMOVE, DEVICE_CLEAR };

/* Copies `place`. */
struct device_worker *device_worker_new(const struct device_place *place);
void device_worker_free(struct device_worker *worker);
DEFINE_CLEANUP(struct device_worker *, device_worker_free)

/* Hands an operation to a child, which does it as `backend` has it. BUSY when one on that
 * device is under way, or a create on that card, or as many as the worker allows. */
int device_worker_start(struct device_worker *worker, enum device_operation operation,
                        const struct backend *backend, const struct device_spec *device,
                        struct error *err);

/* What became of an operation. */
struct device_done {
    enum device_operation operation;
    char uuid[UUID_TEXT_SIZE];
    char address[DEVICE_ADDRESS_SIZE]; /* CREATE, done: where it is */
    struct error error;                /* code NONE: done, as struct backend has it */
    bool existed; /* CREATE: it was there already, and may be somebody else's */
};

/* Takes the result of one that has ended, in no certain order; waits for at most
 * `timeout` milliseconds. False when none has ended. */
bool device_worker_take(struct device_worker *worker, unsigned timeout,
                        struct device_done *out);

/* Readable while a result waits to be taken. */
int device_worker_fd(const struct device_worker *worker);

/* host_mark_in_transition() of each device with an operation that has not ended. */
void device_worker_mark(const struct device_worker *worker, struct host *host);

#endif
