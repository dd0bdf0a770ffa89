#include "placement/server/http/connections.h"

#include <arpa/inet.h>
#include <stdlib.h>

#include "lib/xalloc.h"

static time_t monotonic(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    return now.tv_sec;
}

/* "127.0.0.1", "::1". */
static void write_address(const struct sockaddr *address, char out[PEER_ADDRESS_SIZE])
{
    const void *bytes =
        address->sa_family == AF_INET6
            ? (const void *)&((const struct sockaddr_in6 *)(const void *)address)
                  ->sin6_addr
            : (const void *)&((const struct sockaddr_in *)(const void *)address)
                  ->sin_addr;
    if (!inet_ntop(address->sa_family, bytes, out, PEER_ADDRESS_SIZE))
        out[0] = 0;
}

struct peer *peers_add(struct peers *peers, int fd, const struct sockaddr *address)
{
    struct peer *peer = xcalloc(1, sizeof *peer);
    peer->fd = fd;
    peer->since = monotonic();
    write_address(address, peer->address);
    peer->next = peers->first;
    peer->previous = &peers->first;
    if (peer->next)
        peer->next->previous = &peer->next;
    peers->first = peer;
    return peer;
}

void peers_remove(struct peer *peer)
{
    *peer->previous = peer->next;
    if (peer->next)
        peer->next->previous = peer->previous;
    free(peer);
}

void peer_served(struct peer *peer)
{
    peer->since = monotonic();
}

void peers_cut_off(const struct peers *peers, unsigned seconds)
{
    time_t oldest = monotonic() - (time_t)seconds;
    for (const struct peer *peer = peers->first; peer; peer = peer->next)
        if (peer->since < oldest)
            shutdown(peer->fd, SHUT_RDWR);
}
