/*
 * connection: the connection that libvirt's events come over, and its life: opened, kept
 * alive, opened again with growing pauses after its loss. Nothing else is asked over
 * it, so that no call holds up an event.
 *
 * Opening, listing and closing may block as long as libvirt likes, so a thread of its
 * own does that. All functions here are the main thread's, which runs libvirt's event
 * loop and calls connection_turn() after each of its rounds; struct connection_user's
 * functions are called from there, and must not call libvirt.
 */
#ifndef AGENT_LIBVIRT_CONNECTION_H
#define AGENT_LIBVIRT_CONNECTION_H

#include <stdint.h>

#include "agent/attach/decide.h"
#include "lib/error.h"

struct connection;

struct connection_user {
    /* `domains`: the uuids of all. The events that came since they were listed
     * follow. */
    void (*up)(void *data, const struct strlist *domains);
    /* It was lost, or cannot be had: each time that another reason is known. */
    void (*down)(void *data, const struct error *reason);
    void (*event)(void *data, const char *domain, enum occasion occasion);
    void *data;
};

/* `uri` is borrowed. `wake` is an eventfd(2) that is written to when connection_turn()
 * has something to do. It begins to open at once. */
int connection_new(const char *uri, int wake, const struct connection_user *user,
                   struct connection **out, struct error *err);

/* Goes on as far as it can without waiting. */
void connection_turn(struct connection *connection, int64_t now);
/* When connection_turn() is to be called again at the latest; -1: after `wake`. */
int64_t connection_wake_at(const struct connection *connection);
/* A call into libvirt is under way. */
bool connection_is_busy(const struct connection *connection);

#endif
