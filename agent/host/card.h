/*
 * card: reads one physical card from sysfs. It also has what every backend's scan
 * (agent/backend/backend.h) needs: optional texts, the mark that a card is unreadable,
 * and the check before each file whose driver may hang. Keeps nothing between calls;
 * any thread may call.
 */
#ifndef AGENT_HOST_CARD_H
#define AGENT_HOST_CARD_H

#include <stdbool.h>

#include "agent/host/host.h"
#include "config/config.h"
#include "lib/error.h"

/* Reading most files of a card calls its driver or waits for it. If the driver hangs,
 * the scan hangs. Listings and links are the kernel's own, and do not hang. */
struct scan_watch {
    /* Called before each file of a card that could hang; when it returns false, the
     * file is not read. */
    bool (*may_read)(void *data, const char *gpu, const char *file);
    void *data;
};

/* A scan of the host while it runs. */
struct scan {
    struct host *host;              /* what has been found so far */
    const struct scan_watch *watch; /* NULL: every file may be read */
    /* For kinds whose cards or types the configuration names; NULL: it names none. */
    const struct config *config;
    /* Cards of which consumers have devices, according to the state file, of another
     * kind than the configuration gives, whether they exist now or not. NULL: none. */
    const struct strlist *awaited;
};

bool card_may_read(const struct scan *scan, const struct gpu *gpu, const char *file);

/* Marks the card as GPU_UNREADABLE, with the reason: it exists, but a file that decides
 * could not be read. Of several reasons the first in alphabetical order stays, since
 * folders have no order. */
void card_set_unreadable(struct gpu *gpu, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Reads a text that may be absent (NULL). If it exists and cannot be read, the card
 * becomes unreadable, with `where` in the reason. The caller frees. */
char *card_read_text(const struct scan *scan, struct gpu *gpu, int dirfd,
                     const char *where, const char *name);

/* Reads driver, NUMA node, identity and SR-IOV, and checks that the card answers on its
 * bus. `card` is a descriptor of its folder. */
void card_read(const struct scan *scan, struct gpu *gpu, int card);

/* The card of the device `name`, whose folder is `folder` (-1: it cannot be opened):
 * the physical function of a virtual one, else the device itself. A card that is new in
 * the host is added and read. The pointer is valid until the next card is added. */
struct gpu *card_of_function(const struct scan *scan, int folder, const char *name);

/* Adds the VFIO nodes of the device whose folder is `folder`: its IOMMU group's, and
 * (since Linux 6.1) its own. A device without them (yet) gets none. */
void device_read_nodes(int folder, struct device *device);

/* Calls `read` for each name in the folder `path` below the root. The folder may be
 * absent; -1 when it exists and cannot be read. */
int card_scan_list(const struct scan *scan, int root, const char *path,
                   void (*read)(const struct scan *scan, int list, const char *name),
                   struct error *err);

#endif
