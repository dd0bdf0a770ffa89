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

/* Adds the nodes of those functions of the card that are not bound to vfio-pci. `bus` is
 * a descriptor of sysfs's bus/pci, `root` of the folder that contains proc (-1: there is
 * none). Reads a file of a driver's below /proc/driver, which may hang. */
int card_nodes_list(int bus, int root, const struct whole_card *card,
                    struct strlist *out, struct error *err);

/* BUSY when a process has a node of a function of the card open that is not bound to
 * vfio-pci yet, or when that cannot be seen; the text names both. `root` is the path of
 * the folder. */
int card_nodes_check_closed(int bus, const char *root, const struct whole_card *card,
                            struct error *err);

#endif
