#include "lib/connections.h"

#include <arpa/inet.h>
#include <linux/sockios.h>
#include <linux/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "lib/clock.h"
#include "lib/xalloc.h"

/* From the kernel's include/net/tcp_states.h, which is not for programs. */
#define STATE_CLOSE_WAIT 8

static void write_bytes(int family, const void *bytes, char out[PEER_ADDRESS_SIZE])
{
    if (!inet_ntop(family, bytes, out, PEER_ADDRESS_SIZE))
        out[0] = 0;
}

/* "127.0.0.1", "::1"; and the network of it. */
static void write_address(const struct sockaddr *address, struct peer *peer)
{
    if (address->sa_family == AF_INET6) {
        struct in6_addr bytes =
            ((const struct sockaddr_in6 *)(const void *)address)->sin6_addr;
        write_bytes(AF_INET6, &bytes, peer->address);
        if (!IN6_IS_ADDR_V4MAPPED(&bytes))
            memset(&bytes.s6_addr[8], 0, 8);
        write_bytes(AF_INET6, &bytes, peer->network);
    } else {
        write_bytes(AF_INET,
                    &((const struct sockaddr_in *)(const void *)address)->sin_addr,
                    peer->address);
        memcpy(peer->network, peer->address, sizeof peer->network);
    }
}

/* ---- networks ---- */

struct network {
    struct map_entry entry;
    char name[PEER_ADDRESS_SIZE];
    unsigned open; /* connections that are not cut off */
    unsigned members;
};

static struct network *join_network(struct peers *peers, const char *name)
{
    struct network *network =
        map_owner(map_find(&peers->networks, name), struct network, entry);
    if (!network) {
        network = xcalloc(1, sizeof *network);
        memcpy(network->name, name, sizeof network->name);
        map_add(&peers->networks, &network->entry, network->name);
    }
    network->open++;
    network->members++;
    return network;
}

static void leave_network(struct peers *peers, struct peer *peer)
{
    peer->of->open -= !peer->cut_off;
    if (--peer->of->members > 0)
        return;
    map_remove(&peers->networks, &peer->of->entry);
    free(peer->of);
    if (peers->networks.count == 0)
        map_clear(&peers->networks);
}

void peers_cut_off(struct peers *peers, struct peer *peer)
{
    if (peer->cut_off)
        return;
    peer->cut_off = true;
    peer->of->open--;
    peers->count--;
    shutdown(peer->fd, SHUT_RDWR);
}

/* ---- room for a new one ---- */

/* The connection that has been idle longest, of that network or, with NULL, of all;
 * NULL when none is idle. A connection just added is the last choice. */
static struct peer *longest_idle(const struct peers *peers, const char *network)
{
    struct peer *longest = NULL;
    for (struct peer *peer = peers->first; peer; peer = peer->next)
        if (!peer->cut_off && peer->phase == PEER_IDLE &&
            (!longest || peer->since <= longest->since) &&
            (!network || strcmp(peer->network, network) == 0))
            longest = peer;
    return longest;
}

static void make_room(struct peers *peers, const struct peer *new)
{
    struct peer *peer = NULL;
    if (new->of->open > peers->limits.per_address)
        peer = longest_idle(peers, new->network);
    else if (peers->count > peers->limits.connections)
        peer = longest_idle(peers, NULL);
    if (peer)
        peers_cut_off(peers, peer);
}

struct peer *peers_add(struct peers *peers, int fd, const struct sockaddr *address)
{
    struct peer *peer = xcalloc(1, sizeof *peer);
    peer->fd = fd;
    peer->since = clock_monotonic_ms();
    write_address(address, peer);
    peer->of = join_network(peers, peer->network);
    peer->next = peers->first;
    peer->previous = &peers->first;
    if (peer->next)
        peer->next->previous = &peer->next;
    peers->first = peer;
    peers->count++;
    make_room(peers, peer);
    return peer;
}

void peers_remove(struct peers *peers, struct peer *peer)
{
    *peer->previous = peer->next;
    if (peer->next)
        peer->next->previous = peer->previous;
    if (!peer->cut_off)
        peers->count--;
    leave_network(peers, peer);
    free(peer);
}

void peer_served(struct peer *peer)
{
    peer->phase = PEER_IDLE;
    peer->served = true;
    peer->head_since = 0;
    peer->since = clock_monotonic_ms();
}

/* ---- who takes too long ---- */

static bool look(const struct peer *peer, struct tcp_info *info)
{
    socklen_t size = sizeof *info;
    *info = (struct tcp_info){0};
    return getsockopt(peer->fd, IPPROTO_TCP, TCP_INFO, info, &size) == 0;
}

/* The client closed its side, and the server has read all that it had sent. */
static bool has_ended(const struct peer *peer, const struct tcp_info *info)
{
    int unread = 0;
    return info->tcpi_state == STATE_CLOSE_WAIT &&
           ioctl(peer->fd, SIOCINQ, &unread) == 0 && unread == 0;
}

/* libmicrohttpd does not report when the first byte of a request's headers arrives, but
 * the kernel counts the bytes received. */
static void look_for_head(struct peer *peer, const struct tcp_info *info, int64_t now)
{
    if (peer->looked_since != peer->since) {
        peer->looked_since = peer->since;
        peer->received = info->tcpi_bytes_received;
    } else if (peer->head_since == 0 && info->tcpi_bytes_received > peer->received) {
        peer->head_since = now;
    }
}

static bool takes_too_long(const struct peers *peers, struct peer *peer, int64_t now)
{
    const struct peers_limits *limits = &peers->limits;
    struct tcp_info info;
    if (now - peer->since > 1000 * (int64_t)limits->request)
        return true;
    if (peer->phase == PEER_ANSWERED || !look(peer, &info))
        return false;
    if (has_ended(peer, &info))
        return true;
    if (peer->phase != PEER_IDLE)
        return false;
    if (!peer->served)
        return now - peer->since > 1000 * (int64_t)limits->head;
    look_for_head(peer, &info, now);
    return peer->head_since > 0 &&
           now - peer->head_since > 1000 * (int64_t)limits->head;
}

void peers_sweep(struct peers *peers)
{
    int64_t now = clock_monotonic_ms();
    for (struct peer *peer = peers->first; peer; peer = peer->next)
        if (!peer->cut_off && takes_too_long(peers, peer, now))
            peers_cut_off(peers, peer);
}
