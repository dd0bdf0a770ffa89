/*
 * vfio_pci: PCI drivers as sysfs shows them, and the one for whole cards: `bind` and
 * `unbind` of each driver, `driver_override` of each function, `drivers_probe` of the
 * bus. As in the kernel, a driver_override names the only driver that may take the
 * function, drivers_probe succeeds also when the driver's probe has failed and nothing
 * is bound, and unbinding vfio-pci waits for whoever has the function open. With the
 * simulator's lock held.
 */
#ifndef TESTS_SIM_VFIO_PCI_H
#define TESTS_SIM_VFIO_PCI_H

#include "tests/sim/node.h"
#include "tests/sim/pci.h"

#define VFIO_PCI "vfio-pci"

struct pci_driver {
    struct sim *sim;
    char *name;
    struct node *node;
};

/* The driver's directory, with its files; made when it is new. */
struct pci_driver *pci_driver_get(struct sim *sim, const char *name);
void pci_driver_free(struct pci_driver *driver);

/* vfio-pci, as where its module is loaded, and the bus's file. */
void vfio_pci_init(struct sim *sim);
/* The function's file. */
void vfio_pci_appear(struct pci_function *function);
/* /dev/vfio/devices/vfioN: the lowest number that is free on the host. Gives the link in
 * class/vfio-dev; the other part is `vfio-dev` in the function's directory `node`. */
struct node *vfio_dev_new(struct sim *sim, struct node *node);

#endif
