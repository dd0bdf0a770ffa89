/*
 * vendor: what is known of a maker's software for hosts of virtual GPUs, for all kinds
 * of devices that the maker's cards offer: its driver, its daemons, the driver that gets
 * in its way. Stateless; any thread may call.
 *
 * NVIDIA: the vGPU user guide ("Installing and Configuring the NVIDIA Virtual GPU
 * Manager") and the MIG user guide ("Device Nodes and Capabilities").
 */
#ifndef AGENT_BACKEND_VENDOR_H
#define AGENT_BACKEND_VENDOR_H

#include <stdbool.h>
#include <stdint.h>

#define VENDOR_MOST_DAEMONS 2

struct vendor_daemon {
    const char *name; /* as /proc/<pid>/comm has it; NULL: no further daemon */
    /* It names the types at boot and may end then: while the cards offer types, nothing
     * is wrong without it. */
    bool may_end;
};

struct vendor {
    uint16_t id;        /* 0x10de, as a PCI device's `vendor` */
    const char *name;   /* in messages: "NVIDIA" */
    const char *driver; /* the kernel's name of the driver for hosts */
    const char *rival;  /* a driver of the kernel's own that takes the cards first */
    struct vendor_daemon daemons[VENDOR_MOST_DAEMONS];
    const char *partition; /* what the maker calls parts of a card: "MIG" */
    /* The parts that exist on the host's cards; -1: it cannot be seen. `root` is a
     * descriptor of the folder that contains proc. */
    int (*count_partitions)(int root);
};

/* NULL: nothing is known of this maker. */
const struct vendor *vendor_find(uint16_t id);

#endif
