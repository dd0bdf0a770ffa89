/*
 * connections: those that a server has open, with who is at the other end and since
 * when it waits for what, so that nobody can take them all: near the limit the one that
 * has been idle longest goes, no address has more than its part, and a request that
 * takes too long to arrive is cut off. What is cut off is shut down; its owner sees
 * that as an error of the socket and closes it. For the HTTP servers, whose library has
 * a limit on silence only. One thread.
 */
#ifndef LIB_CONNECTIONS_H
#define LIB_CONNECTIONS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#define PEER_ADDRESS_SIZE (INET6_ADDRSTRLEN + 8)

enum peer_phase {
    PEER_IDLE,     /* no request, or the head of one is not whole */
    PEER_SENDING,  /* a request's body is not whole */
    PEER_ANSWERED, /* a request is whole; its reply is being made, or sent */
};

struct peer {
    char address[PEER_ADDRESS_SIZE]; /* without the port */
    int fd;
    enum peer_phase phase; /* of the caller */
    bool cut_off;
    bool lingers;         /* of the caller: answered before it has sent all */
    bool served;          /* it has had a reply */
    int64_t since;        /* it was opened, or had its last reply; monotonic, ms */
    int64_t head_since;   /* a further request was seen to begin; 0: was not */
    int64_t looked_since; /* what `since` was when `received` was taken */
    uint64_t received;    /* bytes, all in all */
    struct peer *next, **previous;
};

struct peers_limits {
    unsigned connections, per_address;
    unsigned head;    /* seconds for the head of a request */
    unsigned request; /* seconds from one finished request to the next */
};

/* All zero but the limits is no peer. */
struct peers {
    struct peers_limits limits;
    struct peer *first;
    unsigned count; /* that are not cut off */
};

/* Where there are too many, cuts off the one that has been idle longest. Of an address
 * that has its part already and is idle nowhere that is the new one. The server must
 * accept some more than the limit: PEERS_SPARE. */
struct peer *peers_add(struct peers *peers, int fd, const struct sockaddr *address);
#define PEERS_SPARE 16
void peers_remove(struct peers *peers, struct peer *peer);
/* Once is enough. */
void peers_cut_off(struct peers *peers, struct peer *peer);
/* It has had a reply. */
void peer_served(struct peer *peer);
/* Cuts off those that take too long, and those that have sent their end (FIN) before
 * the end of a request: no reply is owed to them. To be called every second or so. */
void peers_sweep(struct peers *peers);

#endif
