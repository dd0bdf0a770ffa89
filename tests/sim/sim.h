/*
 * sim: one simulated host: its sysfs tree, the cards, what is going on. Free of FUSE,
 * so that unit tests drive it directly: find a node, store into it, show it.
 *
 * Threads: one lock covers everything. sim_store(), sim_show() and the functions marked
 * so take it themselves and may be called from any thread; a store that waits (a slow
 * driver, a device that is held) gives the lock up meanwhile, so that the rest of the
 * host goes on. All else is called with the lock held.
 */
#ifndef TESTS_SIM_SIM_H
#define TESTS_SIM_SIM_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

#include "lib/cleanup.h"
#include "tests/sim/control.h"
#include "tests/sim/description.h"
#include "tests/sim/fault.h"
#include "tests/sim/mdev.h"
#include "tests/sim/node.h"
#include "tests/sim/pci.h"

struct sim {
    pthread_mutex_t lock;
    pthread_cond_t
        changed; /* signalled whenever something that may be waited for did */
    bool stopping;
    struct description *description;
    struct node *root;
    struct card **cards;
    size_t card_count;
    struct pci_function **functions;
    size_t function_count;
    struct pci_driver **drivers; /* whose directory exists */
    size_t driver_count;
    struct mdev_parent **parents; /* of cards that are not PCI */
    size_t parent_count;
    struct mdev **mdevs; /* in the order of their making */
    size_t mdev_count;
    struct faults faults;
    struct control control;
};

/* Takes the description. */
struct sim *sim_new_take(struct description *description);
/* All stores must have returned. */
void sim_free(struct sim *sim);
DEFINE_CLEANUP(struct sim *, sim_free)

/* Takes the lock. What waits gives up waiting, now and for ever. */
void sim_stop(struct sim *sim);

/* Both take the lock. 0 or a negative errno: -ENODEV for a node that was removed. A
 * store comes into the list of stores. `text` is the caller's. */
int sim_store(struct sim *sim, struct node *node, const char *data, size_t length);
int sim_show(struct sim *sim, struct node *node, char **text, size_t *length);

/* With the lock held: let others go on until something changed, or for so many
 * milliseconds (or until sim_stop()). */
void sim_wait(struct sim *sim);
void sim_sleep(struct sim *sim, unsigned milliseconds);
/* With the lock held: wakes all that wait. */
void sim_changed(struct sim *sim);

struct card *sim_card(struct sim *sim, const char *name);
struct pci_function *sim_function(struct sim *sim, const char *address);

#endif
