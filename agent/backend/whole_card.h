/*
 * whole_card: the PCI functions of a card, with the drivers that they are bound to, and
 * what prevents the card from going to a guest whole: its GPU, its sound and its USB
 * controller are functions of one slot and go together, and with them all that is in
 * their IOMMU groups. Reads sysfs, where only the kernel answers, no driver. Keeps
 * nothing.
 *
 * https://docs.kernel.org/driver-api/vfio.html#groups-devices-and-iommus
 */
#ifndef AGENT_BACKEND_WHOLE_CARD_H
#define AGENT_BACKEND_WHOLE_CARD_H

#include <stdbool.h>
#include <stddef.h>

#include "agent/host/host.h"
#include "lib/error.h"
#include "lib/pci_address.h"

#define WHOLE_CARD_DRIVER "vfio-pci"
#define WHOLE_CARD_FUNCTIONS 8 /* of a slot */

struct card_part {
    char address[PCI_ADDRESS_SIZE];
    char *driver;          /* NULL: none is bound */
    char *driver_override; /* NULL: none is set */
};

struct whole_card {
    /* The card's own function first. Virtual functions and bridges are not among
     * them. */
    struct card_part parts[WHOLE_CARD_FUNCTIONS];
    size_t count;
    /* Devices of other slots that are in one of its IOMMU groups: not bridges, which
     * have no DMA of their own. */
    struct strlist strangers;
    bool groupless; /* a function has no IOMMU group: there is no IOMMU, or it is off */
    struct strlist mdevs; /* mediated devices below its functions, which end with the
                           * driver */
};

/* `bus` is a descriptor of sysfs's bus/pci. NOT_FOUND when the card is not there. The
 * caller ends *out with whole_card_clear() in both cases. */
int whole_card_read(int bus, const char *card, struct whole_card *out,
                    struct error *err);
void whole_card_clear(struct whole_card *card);
#define _cleanup_whole_card_ _cleanup_(whole_card_clear)

/* The overrides of drivers that others have set, "0000:01:00.1=pci-stub", with commas
 * between them; "" for none. NULL: the card is taken in part, and they cannot all be
 * seen. The caller frees. */
char *whole_card_overrides(const struct whole_card *card);
/* The one of that function in such a text, which may be NULL. The caller frees; NULL:
 * there is none. */
char *whole_card_override_of(const char *overrides, const char *address);
/* Whether it is the driver that cards are bound to; NULL is none. */
bool whole_card_is_ours(const char *driver);
/* All functions are bound to vfio-pci. */
bool whole_card_is_bound(const struct whole_card *card);
/* The card as a device: its address, its further functions and its VFIO nodes. The
 * caller ends it with device_clear(). */
struct device whole_card_device(int bus, const struct whole_card *card);
/* Says what the card is when it is a virtual function, or its class is none of a GPU's or
 * cannot be read; NULL: it may be one. The caller frees. */
char *whole_card_other_class(int bus, const struct whole_card *card);
/* What prevents the card from being given away, which is not to be bound yet; NULL:
 * nothing. `console`: also the primary display is. The caller frees. */
char *whole_card_obstacle(int bus, const struct whole_card *card, bool console);

#endif
