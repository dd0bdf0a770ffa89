/*
 * connections: the connections that are open, each with its address for the log and the time
 * of its last finished request, so that those that take too long can be cut off. One
 * thread.
 */
#ifndef PLACEMENT_SERVER_HTTP_CONNECTIONS_H
#define PLACEMENT_SERVER_HTTP_CONNECTIONS_H

#include <netinet/in.h>
#include <sys/socket.h>
#include <time.h>

#define PEER_ADDRESS_SIZE (INET6_ADDRSTRLEN + 8)

struct peer {
    char address[PEER_ADDRESS_SIZE]; /* without the port */
    int fd;
    time_t since; /* it was opened, or had its last reply; monotonic */
    struct peer *next, **previous;
};

/* All zero is no peer. */
struct peers {
    struct peer *first;
};

struct peer *peers_add(struct peers *peers, int fd, const struct sockaddr *address);
void peers_remove(struct peer *peer);
/* It has had a reply. */
void peer_served(struct peer *peer);
/* Shuts down those that have had none for `seconds`. */
void peers_cut_off(const struct peers *peers, unsigned seconds);

#endif
