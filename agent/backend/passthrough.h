/*
 * passthrough: cards that go to guests whole. A device is made by binding all functions
 * of a card to vfio-pci, and removed by giving them back to the drivers that the kernel
 * chooses (agent/backend/whole_card.h). Its address is the card's: known beforehand,
 * and used again.
 *
 * Each function's driver_override names vfio-pci from before it is taken from its
 * driver until after vfio-pci has let go of it, so that no other driver takes it
 * meanwhile. Whatever a crash leaves half done, create() completes and remove() takes
 * back: both look at each function, and do what is left to do.
 */
#ifndef AGENT_BACKEND_PASSTHROUGH_H
#define AGENT_BACKEND_PASSTHROUGH_H

#include "agent/backend/backend.h"

extern const struct backend backend_passthrough;

#endif
