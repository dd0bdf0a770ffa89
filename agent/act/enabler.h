/*
 * enabler: prepares the cards that need it, by the programs that the configuration
 * names: cuts them into partitions ([agent] before_cut), then enables their virtual
 * functions ([agent] sriov_manage), in one child process for all cards, which takes 120
 * seconds at most. A card is tried once, and again only after it has had what it lacks
 * in between.
 *
 * One thread (the agent's). Freeing it does not wait for the child.
 */
#ifndef AGENT_ACT_ENABLER_H
#define AGENT_ACT_ENABLER_H

#include <stdbool.h>

#include "agent/desired/card_types.h"
#include "agent/host/host.h"
#include "agent/state/journal.h"
#include "config/config.h"

struct enabler;

struct enabler *enabler_new(void);
void enabler_free(struct enabler *enabler);
DEFINE_CLEANUP(struct enabler *, enabler_free)

/* For the host as it was just seen: takes the child's result, and starts a child for the
 * cards that are configured, that have a type since an operator has enabled it, or that
 * have devices in the journal, and that lack partitions or functions. `wait`: until it
 * has ended, or `interrupted` is true. True when a child has ended, so that the host is
 * to be looked at again. `config` names the programs, or none. */
bool enabler_care(struct enabler *enabler, const struct config *config,
                  const struct type_choices *choices, const struct journal *journal,
                  const struct host *host, bool wait, bool (*interrupted)(void *data),
                  void *data);
/* Adds a line for each card that could not be helped, or that is being helped. */
void enabler_report(const struct enabler *enabler, struct strlist *notes);

#endif
