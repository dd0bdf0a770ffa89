/*
 * attach_place: whether devices are to be attached through libvirt on this host, and
 * whether that can be: the option [agent] attach, the program vgpu-agent-libvirt, and
 * libvirt's socket. libvirt may be started later than the agent, so this is looked at
 * again and again. Stateless; costs a few calls of access(2).
 */
#ifndef AGENT_DAEMON_ATTACH_PLACE_H
#define AGENT_DAEMON_ATTACH_PLACE_H

#include "config/config.h"

struct attach_place {
    bool wanted;   /* the configuration wants it */
    bool on;       /* the program is to run */
    bool wrong;    /* it is off although [agent] attach asks for it */
    char *reason;  /* why it is off; NULL: it is on */
    char *program; /* its path; NULL unless it is on */
    char *uri;     /* libvirt's; NULL unless it is on */
};

/* The caller ends it with attach_place_clear(). */
struct attach_place attach_place_look(const struct config *config);
void attach_place_clear(struct attach_place *place);

#endif
