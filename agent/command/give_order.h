/*
 * give_order: shared by `create`, `remove` and `params`: has an order for a device
 * carried out, by the daemon where it runs, else by this process, which then does that
 * alone.
 */
#ifndef AGENT_COMMAND_GIVE_ORDER_H
#define AGENT_COMMAND_GIVE_ORDER_H

#include "agent/command/command.h"
#include "agent/state/orders.h"

/* 0 when it was carried out. The error is the reason why it was refused or failed;
 * TIMEOUT and NOT_FOUND: the daemon has not done it yet, or has ended, and the order
 * stands. *text is what the answer says besides, or NULL; the caller frees. */
int command_give_order(const struct command_context *context,
                       const struct config *config, const struct order *order,
                       char **text, struct error *err);

/* The device of the host that an operator names: by its uuid, in the host's or the state
 * file's words, or by the address of its virtual function, in any spelling. *name is
 * what orders call it; the caller frees. NOT_FOUND where neither host nor state file has
 * it; INVALID where it is no such name, with what is wrong. */
int command_find_device(const struct config *config, const struct host *host,
                        const char *asked, char **name, struct error *err);

/* INVALID, with what is wrong with it, when the text is no uuid. `out` gets it in lower
 * case. */
int command_parse_uuid(const char *text, char out[UUID_TEXT_SIZE], struct error *err);

#endif
