/*
 * cycle_parts: the parts of a cycle, for agent/cycle.c, which puts them together:
 * cycle_look.c observes and decides, of which cycle_host.c has the host, cycle_act.c
 * acts, and cycle_requests.c takes what operators have asked for beside the state file.
 */
#ifndef AGENT_CYCLE_PARTS_H
#define AGENT_CYCLE_PARTS_H

#include "agent/cycle.h"

/* ---- cycle_look.c; cycle_look() as well ---- */

/* Makes a plan of what the cycle has seen. The caller frees. */
struct plan *cycle_decide(struct agent *agent, int64_t now, struct cycle *cycle);
/* Drops what the cycle has seen. */
void cycle_clear_sight(struct cycle *cycle);
/* How many times a device could not be cleared for its next consumer in this cycle: the
 * device at `address`, or any device where `address` is NULL. */
size_t cycle_count_not_cleared(const struct cycle *cycle, const char *address);

/* ---- cycle_host.c ---- */

/* Reads the host, with the types that the state file knows, into cycle->host; for a
 * command, the state file of the same moment as well. */
int cycle_look_at_host(struct agent *agent, struct cycle *cycle, struct error *err);
/* Whether somebody may hold the place of a device that does not exist: then who does is
 * looked for before each decision. */
bool cycle_must_look_for_holders(const struct agent *agent, const struct cycle *cycle);
/* Reads who uses which device, into cycle->use. */
void cycle_look_who_uses(struct agent *agent, struct cycle *cycle);
/* Reads which guests name which device, also one that does not exist, into cycle->named,
 * where that is of use and not known from cycle->use. */
void cycle_look_who_names(struct agent *agent, struct cycle *cycle);

/* ---- cycle_act.c ---- */

/* Executes the last round. True when another round is needed. With `saves_later` the
 * caller saves what was done, and orders for single devices are not answered. */
bool cycle_act(struct agent *agent, int64_t now, struct cycle *cycle, bool saves_later);

/* ---- cycle_requests.c ---- */

/* Reads the requests that stand, and notes which GPUs an operator has cleaned. Where they
 * cannot be read, those of the cycle before stay in force. */
void cycle_read_requests(struct agent *agent, struct cycle *cycle);
/* Has the types that operators have enabled and disabled noted as the files spell them.
 * The provider of a type is named after that, also while the card lists nothing, or is
 * not there, so that nobody could tell that an id and a name are one type. */
void cycle_spell_choices(const struct agent *agent, struct cycle *cycle);
/* Withdraws REQUEST_SERVER of consumers that no longer exist. */
void cycle_forget_servers(struct agent *agent, struct cycle *cycle);
/* Withdraws the requests for what others have reserved, once Placement and the state file
 * say that it is given back. */
void cycle_end_unreserving(struct agent *agent, struct cycle *cycle);
/* Withdraws the request to adopt a root once the state file names that root. */
void cycle_end_adoption(struct agent *agent, struct cycle *cycle);
/* Deletes the traits and classes of which `vgpu-agent prune` was asked. */
void cycle_delete_names(struct agent *agent, struct cycle *cycle);

#endif
