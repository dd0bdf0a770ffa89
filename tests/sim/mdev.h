/*
 * mdev: the kernel's mdev core and the vendor's driver below it: parents with their
 * types, devices that are created and removed by stores. It follows
 * drivers/vfio/mdev of Linux 6.1 step by step, since each step can be seen from
 * outside: create: EINVAL, EEXIST, EUSERS, device on the bus, driver's probe,
 * mdev_type; remove: mdev_type, off the bus, driver's remove (which waits for whoever
 * holds the device), directory. All with the simulator's lock held.
 */
#ifndef TESTS_SIM_MDEV_H
#define TESTS_SIM_MDEV_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/uuid.h"
#include "tests/sim/description.h"
#include "tests/sim/node.h"

struct sim;

/* One physical card: what its parents share. */
struct card {
    struct sim *sim;
    const struct model *model;
    char *name;
    unsigned *used; /* instances taken, by the model's types */
    bool lost;      /* fell off the bus */
};

struct parent_type {
    struct mdev_parent *parent;
    unsigned index; /* into the model's types */
    struct node *devices;
};

struct mdev_parent {
    struct sim *sim;
    struct card *card;
    const char *name;
    struct node *node; /* of its device; NULL while it is not registered */
    unsigned limit;    /* instances at most, of all types; 0: only the card's limits */
    unsigned used;
    unsigned users; /* creates and removes under way */
    bool leaving;   /* being unregistered: nothing more is made or removed */
    struct parent_type *types;
    struct node *types_node, *class_link;
};

struct mdev {
    struct mdev_parent *parent;
    struct parent_type *type;
    char uuid[UUID_TEXT_SIZE];
    bool active;   /* its create has returned, no remove has begun */
    bool counted;  /* it takes an instance */
    unsigned held; /* open VFIO descriptors */
    char *vm_name;
    char *parameters;
    struct node *node, *bus_link, *type_link, *devices_link, *group;
};

struct card *card_new(struct sim *sim, const struct model *model, const char *name);
void card_free(struct card *card);
/* How many more of a type the card has room for. */
unsigned card_available(const struct card *card, unsigned type);

/* `name` is borrowed: its device's. */
struct mdev_parent *mdev_parent_new(struct card *card, const char *name,
                                    unsigned limit);
void mdev_parent_free(struct mdev_parent *parent);
/* `node` is the device's directory. */
void mdev_parent_register(struct mdev_parent *parent, struct node *node);
/* Destroys the devices that live. Waits for stores under way and for holders. */
void mdev_parent_unregister(struct mdev_parent *parent);

struct mdev *mdev_find(struct sim *sim, const char *uuid);
void mdev_free(struct mdev *mdev);

/* A new group with one member, in kernel/iommu_groups and as `iommu_group` in `node`.
 */
struct node *iommu_group_new(struct sim *sim, struct node *node);

#endif
