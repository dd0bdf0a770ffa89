/*
 * simulated: what the simulator's unit tests share: hosts without a mount, stores and
 * attributes by path. A failure fails the test.
 */
#ifndef TESTS_UNIT_SIM_SIMULATED_H
#define TESTS_UNIT_SIM_SIMULATED_H

#include <pthread.h>

#include "tests/sim/sim.h"

/* `host` is a host file's text. sim_free() it. */
struct sim *simulated_host(const char *host);
/* 0 or a negative errno; -ENOENT when there is no such file. */
int simulated_store(struct sim *sim, const char *path, const char *data);
void assert_shows(struct sim *sim, const char *path, const char *expected);
void assert_there(struct sim *sim, const char *path, bool expected);
/* A command of .mdevsim/control that must work. */
void simulated_control(struct sim *sim, const char *command);

/* A store in a thread of its own. */
struct background_store {
    struct sim *sim;
    const char *path, *data;
    int result;
    pthread_t thread;
};
void background_begin(struct background_store *store);
/* Waits for its end and gives its result. */
int background_end(struct background_store *store);
/* Waits until a node is there, or is gone. */
void await_node(struct sim *sim, const char *path, bool there);

#endif
