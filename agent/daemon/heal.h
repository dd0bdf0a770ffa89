/*
 * heal: in nova mode nova-compute gives guests their devices, and loses them in some
 * cases: after `resize` and `revert` on the same host a guest runs without, though its
 * allocation stands. Such a guest gets an idle device of the same provider, which
 * nova-compute has made and nobody has. Pure.
 */
#ifndef AGENT_DAEMON_HEAL_H
#define AGENT_DAEMON_HEAL_H

#include "agent/attach/wanted.h"
#include "agent/report/guests.h"

/* Adds an entry for each consumer whose guest has run for GUESTS_PATIENCE without its
 * devices, and that idle devices are there for, all or some. `view`: the domains as
 * libvirt has said; nothing is healed unless all of them are known. `before`: the table
 * before this one, whose choice stays. */
void heal_add(const struct cycle *cycle, const struct guests *guests,
              const struct domains *view, const struct wanted_table *before,
              int64_t now, struct wanted_table *out);

#endif
