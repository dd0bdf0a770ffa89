/*
 * connections: the open connections of a server, each with the client's address and how
 * long it has been waiting for what, so that no client can take them all. Near the
 * limit the connection that has been idle longest is cut off, no address has more than
 * its share, and a request that takes too long to arrive is cut off, too. To cut off
 * means shutdown(2): the owner of the socket sees an error and closes it.
 *
 * libmicrohttpd itself only limits how long a connection is silent. One thread.
 */
#ifndef LIB_CONNECTIONS_H
#define LIB_CONNECTIONS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "lib/map.h"

#define PEER_ADDRESS_SIZE (INET6_ADDRSTRLEN + 8)

enum peer_phase {
    PEER_IDLE,     /* no request, or the head of one is not whole */
    PEER_SENDING,  /* a request's body is not whole */
    PEER_ANSWERED, /* a request is whole; its reply is being made, or sent */
};

struct network;

struct peer {
    char address[PEER_ADDRESS_SIZE]; /* as text, without the port */
    /* What counts as one address: of IPv6 the first 64 bits, as whoever has one address
     * has all of those. */
    char network[PEER_ADDRESS_SIZE];
    struct network *of; /* that network, with the other connections of it */
    int fd;
    enum peer_phase phase; /* set by the owner of the connection */
    bool cut_off;
    /* set by the owner: it was answered before it had sent the whole request */
    bool lingers;
    bool served; /* at least one request was answered */
    /* when it was opened, or had its last reply (clock_monotonic_ms()) */
    int64_t since;
    int64_t head_since;   /* when the next request was seen to begin; 0: it was not */
    int64_t looked_since; /* the value of `since` when `received` was read */
    uint64_t received;    /* bytes received on the connection so far */
    struct peer *next, **previous;
};

struct peers_limits {
    unsigned connections, per_address;
    unsigned head;    /* seconds until the headers of a request are complete */
    unsigned request; /* seconds from one finished request to the next */
};

/* All zero except the limits is the empty list. */
struct peers {
    struct peers_limits limits;
    struct peer *first;
    unsigned count; /* connections that are not cut off */
    struct map networks;
};

/* Adds a connection. Where there are too many, the one that has been idle longest is
 * cut off, of all or, when this address has its share already, of this address; if that
 * address is idle on none, the new connection is cut off itself. The server must accept
 * PEERS_SPARE connections more than the limit, as those that are cut off are not closed
 * yet. */
struct peer *peers_add(struct peers *peers, int fd, const struct sockaddr *address);
#define PEERS_SPARE 16
void peers_remove(struct peers *peers, struct peer *peer);
/* Shuts the socket down. A second call changes nothing. */
void peers_cut_off(struct peers *peers, struct peer *peer);
/* To be called for each reply: the time for the next request begins. */
void peer_served(struct peer *peer);
/* Cuts off the connections that take too long, and those whose client closed its side
 * (FIN) before the end of a request: they are owed no reply. To be called about once a
 * second. */
void peers_sweep(struct peers *peers);

#endif
