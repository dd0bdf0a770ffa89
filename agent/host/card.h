/*
 * card: reads one physical card from sysfs, and what every kind's scan of devices
 * (agent/backend/backend.h) needs beside that: texts that may be missing, files that
 * decide and cannot be read, drivers that hang. Keeps nothing between calls; any thread
 * may call.
 */
#ifndef AGENT_HOST_CARD_H
#define AGENT_HOST_CARD_H

#include <stdbool.h>

#include "agent/host/host.h"
#include "lib/error.h"

/* Most files of a card ask its driver, or wait for it, and a driver can hang: then the
 * scan hangs. Listings and links are the kernel's own, and do not. */
struct scan_watch {
    /* Asked before each file of a card that could hang; false: it is not read. */
    bool (*may_read)(void *data, const char *gpu, const char *file);
    void *data;
};

/* One look at the host, while it is under way. */
struct scan {
    struct host *host;              /* what has been found by now */
    const struct scan_watch *watch; /* NULL: nobody watches */
};

bool card_may_read(const struct scan *scan, const struct gpu *gpu, const char *file);

/* The card is there, and what cannot be read decides: GPU_UNREADABLE with the reason. Of
 * several reasons the first by name stays, since folders have no order. */
void card_set_unreadable(struct gpu *gpu, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* A text that may be missing (NULL), but if it is there, must be readable: else the card
 * is unreadable. `where` is named in the reason. The caller frees. */
char *card_read_text(const struct scan *scan, struct gpu *gpu, int dirfd,
                     const char *where, const char *name);

/* Driver, node, identity, SR-IOV, and whether the card answers on its bus. `card` is its
 * folder. */
void card_read(const struct scan *scan, struct gpu *gpu, int card);

/* The card of the device `name` whose folder is `folder` (-1: it cannot be opened): the
 * physical function of a virtual one, else the device itself. Added to the host, and
 * read, when it is new there. Good until the next card is added. */
struct gpu *card_of_function(const struct scan *scan, int folder, const char *name);

/* Calls `read` for each name in the list at `path` below the root, which may be absent.
 * -1 when it is there and cannot be read. */
int card_scan_list(const struct scan *scan, int root, const char *path,
                   void (*read)(const struct scan *scan, int list, const char *name),
                   struct error *err);

#endif
