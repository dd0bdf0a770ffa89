/*
 * listen_address: where a program listens, as written in options: "HOST:PORT",
 * "[IPv6]:PORT" or "PORT" alone, which means loopback. HOST is a numeric address or
 * "localhost"; no resolver is asked. Port 0 lets the kernel choose. Stateless.
 */
#ifndef CONFIG_LISTEN_ADDRESS_H
#define CONFIG_LISTEN_ADDRESS_H

#include <stdbool.h>
#include <sys/socket.h>

#include "lib/error.h"

struct listen_address {
    struct sockaddr_storage address;
    socklen_t length;
};

/* Parses an address. With `out` NULL only the form is checked. */
int listen_address_parse(const char *text, struct listen_address *out,
                         struct error *err);

/* Whether only this machine can reach the address. */
bool listen_address_is_loopback(const struct listen_address *address);

#endif
