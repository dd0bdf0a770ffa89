#include "placement/server/http/unread.h"

#include <string.h>

#include "lib/clock.h"

/* There may be no more of these than there may be connections. */
#define SMALL 65536
/* What a client has at least, however many wait. */
#define PATIENCE_MS 2000

void unread_begin(struct unread_list *list, size_t max)
{
    *list = (struct unread_list){.max = max, .newest = &list->oldest};
}

void unread_remove(struct unread_list *list, struct unread *reply)
{
    if (!reply->previous)
        return;
    *reply->previous = reply->next;
    if (reply->next)
        reply->next->previous = reply->previous;
    else
        list->newest = reply->previous;
    list->used -= reply->bytes;
    *reply = (struct unread){0};
}

static bool fits(const struct unread_list *list, size_t more)
{
    return more <= list->max - list->used;
}

/* Its memory is free soon, when the library has seen the end of the connection. */
static void drop(struct unread_list *list, struct unread *reply, struct peers *peers)
{
    peers_cut_off(peers, reply->peer);
    unread_remove(list, reply);
}

static bool is_of(const struct unread *reply, const char *network)
{
    return strcmp(reply->peer->network, network) == 0;
}

/* The network that has more than half of what is used, NULL where none has. Boyer and
 * Moore's vote, in which each byte has one, and then a count. */
static const char *greedy_network(const struct unread_list *list)
{
    const char *network = "";
    size_t lead = 0, has = 0;
    for (const struct unread *one = list->oldest; one; one = one->next) {
        if (is_of(one, network)) {
            lead += one->bytes;
        } else if (one->bytes > lead) {
            network = one->peer->network;
            lead = one->bytes - lead;
        } else {
            lead -= one->bytes;
        }
    }
    for (const struct unread *one = list->oldest; one; one = one->next)
        has += is_of(one, network) ? one->bytes : 0;
    return has > list->used / 2 ? network : NULL;
}

static void take_from_greedy(struct unread_list *list, const struct peer *peer,
                             size_t more, struct peers *peers)
{
    const char *network = greedy_network(list);
    if (!network || strcmp(network, peer->network) == 0)
        return;
    char greedy[PEER_ADDRESS_SIZE];
    memcpy(greedy, network, sizeof greedy);
    struct unread *next;
    for (struct unread *one = list->oldest; one && !fits(list, more); one = next) {
        next = one->next;
        if (is_of(one, greedy))
            drop(list, one, peers);
    }
}

/* `reply` itself is not given up. */
static bool make_room(struct unread_list *list, const struct unread *reply,
                      const struct peer *peer, size_t more, struct peers *peers)
{
    int64_t latest = clock_monotonic_ms() - PATIENCE_MS;
    while (!fits(list, more) && list->oldest && list->oldest != reply &&
           list->oldest->since <= latest)
        drop(list, list->oldest, peers);
    if (!fits(list, more))
        take_from_greedy(list, peer, more, peers);
    return fits(list, more);
}

static void append(struct unread_list *list, struct unread *reply, struct peer *peer)
{
    *reply = (struct unread){
        .peer = peer, .since = clock_monotonic_ms(), .previous = list->newest};
    *list->newest = reply;
    list->newest = &reply->next;
}

size_t unread_grow(struct unread_list *list, struct unread *reply, struct peer *peer,
                   size_t bytes, struct peers *peers)
{
    if (bytes <= SMALL)
        return SMALL;
    if (bytes <= reply->bytes)
        return reply->bytes;
    if (!make_room(list, reply, peer, bytes - reply->bytes, peers))
        return reply->bytes;
    size_t wanted = bytes + SMALL - bytes % SMALL;
    size_t most = reply->bytes + list->max - list->used;
    wanted = wanted < most ? wanted : most;
    if (!reply->previous)
        append(list, reply, peer);
    list->used += wanted - reply->bytes;
    reply->bytes = wanted;
    return wanted;
}

void unread_settle(struct unread_list *list, struct unread *reply, size_t bytes)
{
    if (bytes <= SMALL) {
        unread_remove(list, reply);
    } else {
        list->used -= reply->bytes - bytes;
        reply->bytes = bytes;
    }
}
