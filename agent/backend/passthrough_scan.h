/*
 * passthrough_scan: reads the cards that the configuration gives to guests whole. Keeps
 * nothing. Such a card is parent and device in one; the device exists when all
 * functions of the card are bound to vfio-pci, whoever bound them. A card that cannot
 * be given away is GPU_UNUSABLE, with the reason; one that a process of the host has
 * open has its type all the same. So as long as such cards are free, each look at the
 * host searches the processes once: a unit that is offered is one that can be given.
 */
#ifndef AGENT_BACKEND_PASSTHROUGH_SCAN_H
#define AGENT_BACKEND_PASSTHROUGH_SCAN_H

#include "agent/backend/backend.h"

/* The kind's name, in the journal and in every device. */
#define PASSTHROUGH_NAME "passthrough"
/* The name of a card's type, by its vendor and device. */
#define PASSTHROUGH_TYPE_NAME "PCI %04x:%04x"

/* As in struct backend. */
int passthrough_scan(const struct scan *scan, int root, struct error *err);

#endif
