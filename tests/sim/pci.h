/*
 * pci: the PCI bus of the simulated host: bridges on the way to a card, the card (PF)
 * and its virtual functions, drivers that bind and unbind, hot removal and rescan,
 * SR-IOV. A function that a vendor's driver is bound to is an mdev parent, unless it
 * has virtual functions of its own to be parents, or they are given their types by
 * stores (vgpu_function.h). With the simulator's lock held.
 */
#ifndef TESTS_SIM_PCI_H
#define TESTS_SIM_PCI_H

#include <stdbool.h>
#include <stddef.h>

#include "tests/sim/description.h"
#include "tests/sim/node.h"

struct sim;
struct card;
struct mdev_parent;
struct vgpu_function;
struct xe_card;

struct pci_function {
    struct sim *sim;
    struct card *card;
    const struct card_description *description;
    char *address;
    struct node *bus;  /* the directory that the function's is in */
    struct node *node; /* NULL while it is removed from the bus */
    struct node *bus_link, *driver_link, *driver_entry, *group;
    struct mdev_parent *parent;     /* NULL: this function can be none */
    struct vgpu_function *vgpu;     /* NULL: it takes no type */
    char *driver_override;          /* NULL: none */
    struct node *vfio;              /* NULL: it is not bound to vfio-pci */
    unsigned held;                  /* open VFIO descriptors, of vfio-pci */
    struct xe_card *xe;             /* of a PF; NULL: it is none of xe's */
    struct pci_function *physical;  /* of a VF: its PF */
    struct pci_function **virtuals; /* of a PF: all VFs that it can have */
    unsigned numvfs;                /* how many of them are on */
    bool changing; /* a store that changes this function is under way */
};

/* Plugs in the card that is described, with the bridges before it, its driver bound and
 * its virtual functions on. */
struct pci_function *pci_function_new(struct card *card,
                                      const struct card_description *description);
void pci_function_free(struct pci_function *function);

/* Each returns 0 or a negative errno, as the kernel does for the store that asks for
 * it: -ENODEV when it is not there (any more), -EBUSY when it is in the middle of
 * another change. They wait for whoever holds a device that goes. */
int pci_remove(struct pci_function *function);
int pci_rescan(struct pci_function *function);
int pci_unbind(struct pci_function *function);
int pci_bind(struct pci_function *function);
/* The kernel's device_lock(): one change of a function at a time. The second gives `rc`
 * back. */
void pci_begin_change(struct pci_function *function);
int pci_end_change(struct pci_function *function, int rc);
/* The driver that takes it: its model's, unless it has an override. */
const char *pci_driver_of(const struct pci_function *function);
/* What sriov-manage does. -EBUSY when it goes from one number to another without 0
 * between, -ERANGE above the card's total. */
int pci_set_numvfs(struct pci_function *function, unsigned count);

#endif
