/*
 * open_cards: cards that could go to guests whole, but for a process of the host that
 * has one of their nodes open (agent/backend/card_nodes.h): such a card cannot be taken
 * from its driver, so it is not to be offered. One search through the processes for all
 * cards of a scan; none where no card has a node.
 */
#ifndef AGENT_BACKEND_OPEN_CARDS_H
#define AGENT_BACKEND_OPEN_CARDS_H

#include "agent/backend/whole_card.h"
#include "agent/host/card.h"

struct open_cards {
    const struct scan *scan;
    int bus;                     /* a descriptor of sysfs's bus/pci */
    int root;                    /* of [agent] host_root; -1: it cannot be opened */
    struct error unseen;         /* why not */
    struct strlist nodes, cards; /* cards[i] has nodes[i] */
};

/* `bus` is borrowed. The caller ends it with open_cards_clear(). */
struct open_cards open_cards_begin(const struct scan *scan, int bus);
void open_cards_clear(struct open_cards *open);
#define _cleanup_open_cards_ _cleanup_(open_cards_clear)

/* Adds a card that is free, with all its functions. A card whose nodes cannot be listed
 * becomes GPU_UNREADABLE. */
void open_cards_add(struct open_cards *open, struct gpu *gpu,
                    const struct whole_card *card);
/* Makes each added card GPU_UNUSABLE that a process has open, or of which that cannot
 * be seen, with the reason; none of its types can be made then. */
void open_cards_mark(const struct open_cards *open);

#endif
