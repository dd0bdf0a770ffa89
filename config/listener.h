/*
 * listener: the socket that a server listens on. Stateless.
 */
#ifndef CONFIG_LISTENER_H
#define CONFIG_LISTENER_H

#include <netinet/in.h>

#include "config/listen_address.h"

#define LISTENER_NAME_SIZE (INET6_ADDRSTRLEN + 16)

/* Opens a socket that listens. `name` gets "127.0.0.1:8778" or "[::1]:8778", with the
 * port that the kernel chose where port 0 was asked for. The caller closes *fd. */
int listener_open(const struct listen_address *address, int *fd,
                  char name[LISTENER_NAME_SIZE], struct error *err);

#endif
