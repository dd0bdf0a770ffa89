/*
 * outbox: the lines that go to the daemon, in the order in which they were given, from
 * any thread. What the socket takes is written at once; the rest when the main thread
 * is told by poll(2) that there is room.
 */
#ifndef AGENT_LIBVIRT_OUTBOX_H
#define AGENT_LIBVIRT_OUTBOX_H

#include <stdbool.h>

#include "lib/cleanup.h"
#include "lib/error.h"

struct outbox;

/* `wake` is an eventfd(2) that is written to when another thread has left something to
 * be flushed, or has met an error. Both descriptors stay the caller's. */
struct outbox *outbox_new(int socket, int wake);
void outbox_free(struct outbox *outbox);
DEFINE_CLEANUP(struct outbox *, outbox_free)

/* Any thread; never waits. */
void outbox_send(struct outbox *outbox, const char *line);

/* The main thread's. */
bool outbox_has_rest(struct outbox *outbox);
/* Writes what the socket takes. IO when the daemon reads nothing more: it has gone, or
 * has left more lying than can be kept. */
int outbox_flush(struct outbox *outbox, struct error *err);

#endif
