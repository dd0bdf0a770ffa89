#include "agent/backend/open_cards.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "agent/backend/card_nodes.h"
#include "agent/host/node_holders.h"
#include "lib/files.h"
#include "lib/folder.h"
#include "lib/xalloc.h"

struct open_cards open_cards_begin(const struct scan *scan, int bus)
{
    const char *path = scan->config->agent.host_root;
    struct open_cards open = {
        .scan = scan, .bus = bus, .root = folder_open(AT_FDCWD, path)};
    if (open.root < 0)
        (void)error_set_errno(&open.unseen, errno, "%s", path);
    return open;
}

void open_cards_clear(struct open_cards *open)
{
    if (open->root >= 0)
        close(open->root);
    strlist_clear(&open->nodes);
    strlist_clear(&open->cards);
}

void open_cards_add(struct open_cards *open, struct gpu *gpu,
                    const struct whole_card *card)
{
    struct error err = {0};
    if (!card_may_read(open->scan, gpu, "information"))
        return;
    if (card_nodes_list(open->bus, open->root, card, &open->nodes, &err) != 0 &&
        !errno_is_gone(err.errnum))
        card_set_unreadable(gpu, "%s", err.text);
    while (open->cards.count < open->nodes.count)
        strlist_add(&open->cards, gpu->name);
}

static void mark(const struct open_cards *open, size_t node, pid_t holder,
                 const struct error *unseen)
{
    struct gpu *gpu = (struct gpu *)host_gpu(open->scan->host, open->cards.items[node]);
    if (gpu->health != GPU_OK)
        return;
    char *why = node_why_open(open->root, open->nodes.items[node], holder, unseen);
    if (!why)
        return;
    gpu->health = GPU_UNUSABLE;
    gpu->health_reason = why;
    for (size_t i = 0; i < gpu->parent_count; i++)
        for (size_t j = 0; j < gpu->parents[i].type_count; j++)
            gpu->parents[i].types[j].available = 0;
}

/* Who is known to have a card open is named, also where not every process is seen. */
void open_cards_mark(const struct open_cards *open)
{
    size_t count = open->nodes.count;
    struct error unseen = open->unseen;
    _cleanup_free_ pid_t *holders = xcalloc(count + 1, sizeof *holders);
    if (count && open->root >= 0)
        (void)node_find_holders(open->root, &open->nodes, holders, &unseen);
    for (size_t i = 0; i < count; i++)
        if (holders[i])
            mark(open, i, holders[i], &unseen);
    for (size_t i = 0; i < count; i++)
        mark(open, i, 0, &unseen);
}
