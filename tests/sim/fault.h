/*
 * fault: what the tests want to go wrong, and when. A rule waits for the Nth operation
 * of its kind (on one card or parent, or on any) and then makes it fail, take its time,
 * or stop until it is let go. Used under the simulator's lock.
 */
#ifndef TESTS_SIM_FAULT_H
#define TESTS_SIM_FAULT_H

#include <stdbool.h>
#include <stddef.h>

struct sim;

/* The moments in which a rule can bite. */
enum operation {
    OPERATION_CREATE, /* in the driver: the uuid is on the bus, without mdev_type */
    OPERATION_REFUSE, /* a remove before anything has changed (old kernels: EBUSY) */
    OPERATION_UNLINK, /* in a remove: mdev_type is gone, the uuid still on the bus */
    OPERATION_REMOVE, /* in a remove: gone from the bus, the instance still taken */
    OPERATION_PARAMETERS, /* a write to vgpu_params, before anything has changed */
};

struct fault_rule {
    enum operation operation;
    char *device;   /* a card's or parent's name; NULL: any */
    unsigned nth;   /* counts down to 1; 0: every time */
    int error;      /* a negative errno, or 0 */
    unsigned delay; /* milliseconds */
    bool block;     /* until `unblock` */
};

struct faults {
    struct fault_rule *rules;
    size_t count;
    unsigned unblocked; /* how often everything that was stopped has been let go */
};

/* Takes the rule's `device`. */
void fault_add_take(struct faults *faults, struct fault_rule rule);
void fault_clear(struct faults *faults);

/* To be called at that moment of an operation on `parent` of `card`: waits, and gives 0
 * or a negative errno. The simulator's lock is given up while it waits. */
int fault_apply(struct sim *sim, enum operation operation, const char *card,
                const char *parent);

#endif
