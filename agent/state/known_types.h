/*
 * known_types: the types that cards of a model were seen to offer, which the journal
 * remembers for kinds of devices whose lists shrink (struct backend's recall()): a full
 * card does not name the types of its own devices any more. No I/O.
 */
#ifndef AGENT_STATE_KNOWN_TYPES_H
#define AGENT_STATE_KNOWN_TYPES_H

#include <stdbool.h>

#include "agent/host/host.h"
#include "agent/state/journal.h"

/* Notes what the host shows now. Where an id has another name than before, or a name
 * another id, the driver is another one, and all that was known of the model is dropped.
 * True when the journal has changed. */
bool known_types_note(struct journal *journal, const struct host *host);
/* Completes the host with what the journal knows; for the host after each look, before
 * anything is decided on it. */
void known_types_put(const struct journal *journal, struct host *host);

/* The name of the type that the files call `configured`, by its id or its number: as
 * the card lists it, else as cards of its model were seen to. NULL: neither tells.
 * Borrowed. */
const char *known_types_name(const struct journal *journal, const struct gpu *gpu,
                             const char *configured);

#endif
