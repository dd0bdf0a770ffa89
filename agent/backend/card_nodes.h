/*
 * card_nodes: the device nodes below /dev that the drivers of a card's functions serve
 * beside VFIO: /dev/dri/card0, /dev/nvidia0, /dev/snd/pcmC1D3p, /dev/accel/accel0,
 * /dev/fb0, /dev/i2c-3 and /dev/drm_dp_aux0, also of connectors. What other nodes a
 * driver may have is not seen. While a process has one
 * open, to take the driver from the function waits for it without end, or takes the
 * host down. Keeps nothing.
 */
#ifndef AGENT_BACKEND_CARD_NODES_H
#define AGENT_BACKEND_CARD_NODES_H

#include "agent/backend/whole_card.h"

/* BUSY when a process has a node of a function of the card open that is not bound to
 * vfio-pci yet, or when that cannot be seen; the text names both. `bus` is a descriptor
 * of sysfs's bus/pci, `root` the path of the folder that contains proc. */
int card_nodes_check_closed(int bus, const char *root, const struct whole_card *card,
                            struct error *err);

#endif
