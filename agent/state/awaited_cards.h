/*
 * awaited_cards: the cards that the files give whole, and of which consumers still
 * have devices of another kind: the files were changed meanwhile. The devices may be
 * lost, by a reboot, and are made again before the card goes whole. No I/O.
 */
#ifndef AGENT_STATE_AWAITED_CARDS_H
#define AGENT_STATE_AWAITED_CARDS_H

#include "agent/state/journal.h"
#include "config/config.h"
#include "lib/strlist.h"

/* In the order of the files. The caller clears. */
struct strlist awaited_cards(const struct journal *journal,
                             const struct config *config);

#endif
