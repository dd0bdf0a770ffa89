/*
 * events: libvirt's domain events, as the occasions that the watcher knows. Those of a
 * guest's life that change none of its devices (suspended, resumed, crashed, shutting
 * down) are not passed on.
 */
#ifndef AGENT_LIBVIRT_EVENTS_H
#define AGENT_LIBVIRT_EVENTS_H

#include <libvirt/libvirt.h>

#include "agent/attach/decide.h"

struct events_user {
    /* Called by libvirt's event loop, in its thread. `connection` is the one that the
     * event came over. */
    void (*event)(void *data, virConnectPtr connection, const char *domain,
                  enum occasion occasion);
    void *data;
};

/* Asks for all that is needed. `user` must stay until events_unregister(). -1: libvirt's
 * last error says why. */
#define EVENT_KINDS 4
int events_register(virConnectPtr connection, const struct events_user *user,
                    int ids[EVENT_KINDS]);
void events_unregister(virConnectPtr connection, int ids[EVENT_KINDS]);

/* Of a lifecycle event; false: nothing follows from it. */
bool events_occasion(int event, int detail, enum occasion *occasion);

#endif
