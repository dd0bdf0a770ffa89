#include "placement/server/http/unread.h"

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

/* Its memory is free soon, when the library has seen the end of the connection. */
static void make_room(struct unread_list *list, size_t bytes, struct peers *peers)
{
    int64_t latest = clock_monotonic_ms() - PATIENCE_MS;
    while (list->oldest && list->oldest->since <= latest &&
           bytes > list->max - list->used) {
        peers_cut_off(peers, list->oldest->peer);
        unread_remove(list, list->oldest);
    }
}

bool unread_add(struct unread_list *list, struct unread *reply, struct peer *peer,
                size_t bytes, struct peers *peers)
{
    if (bytes <= SMALL)
        return true;
    make_room(list, bytes, peers);
    if (bytes > list->max - list->used)
        return false;
    *reply = (struct unread){.peer = peer,
                             .bytes = bytes,
                             .since = clock_monotonic_ms(),
                             .previous = list->newest};
    *list->newest = reply;
    list->newest = &reply->next;
    list->used += bytes;
    return true;
}
